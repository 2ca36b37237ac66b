"""Memory settings of the C library for the buffers that a training step frees."""

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""Source: malloc.h of the GNU C library."""


def keep_freed_buffers() -> bool:
    """Keep freed memory in this process, and reuse it in the next step.

    The GNU C library maps every buffer above 32 MB anew, and the kernel then fills it with zeros page by
    page: half the time of a step of 32 images on a CPU. Memory stays at its peak instead.

    Returns:
        False with another C library, which is not changed.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    settings = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28}
    return all(mallopt(option, value) for option, value in settings.items())
