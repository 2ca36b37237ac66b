"""How the C library treats the buffers that a training step frees."""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Source: malloc.h of the GNU C library."""


def keep_freed_buffers() -> bool:
    """Let this process keep the memory it frees, and use it again in the next step.

    The GNU C library maps every buffer above 32 MB afresh, and the kernel then fills it with zeros page by
    page: half the time of a step of 32 pictures on a CPU. Memory stays at its highest mark instead.

    Returns:
        False where the C library is another one, which is left as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28}
    return all(mallopt(option, value) for option, value in settings.items())
