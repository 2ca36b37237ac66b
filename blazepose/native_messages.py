"""Known harmless messages of native libraries, which they print to the process's standard error."""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_HARMLESS = re.compile(
    rb"INFO: Created TensorFlow Lite|WARNING: Read-only tensor|WARNING: .* written to STDERR"
    rb"|[IW]\d{4} .*(port\.cc|flatbuffer_export|inference_feedback|landmark_projection|_pytree)"
    rb"|INFO: \[|WARNING: \[(npu_registry|compiler_plugin|model_load)\.cc"
    rb"|\xe2\x94\x94 Could not load shared library .*CompilerPlugin"
    rb"|Warp CUDA warning: Could not find or load"
)
_one_at_a_time = threading.RLock()


@contextmanager
def hide_harmless_messages() -> Iterator[None]:
    """Drop these messages inside the block; all others are printed at its end.

    No option of LiteRT, its converter, MediaPipe or Warp switches them off: they are written to file
    descriptor 2, which is redirected meanwhile.
    """
    if sys.stderr is None:  # no console
        yield
        return
    with _one_at_a_time, tempfile.TemporaryFile() as messages:
        stderr = os.dup(2)
        os.dup2(messages.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            messages.seek(0)
            for line in messages:
                if not _HARMLESS.match(line):
                    os.write(2, line)
