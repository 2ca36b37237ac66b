"""Messages of native libraries on the standard error."""

import os
import subprocess
import sys

import pytest

from blazepose.native_messages import hide_harmless_messages

XNNPACK = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


def test_only_harmless_messages_are_dropped(capfd):
    with hide_harmless_messages():
        os.write(2, XNNPACK + b"ERROR: node 3 failed to prepare\n")
        with hide_harmless_messages():
            os.write(2, XNNPACK)
        print("inside", file=sys.stderr)
    os.write(2, XNNPACK)
    printed = capfd.readouterr().err.splitlines()
    assert sorted(printed) == sorted(["ERROR: node 3 failed to prepare", "inside", XNNPACK.decode().strip()])


def test_other_messages_are_printed_after_an_error(capfd):
    def fail() -> None:
        os.write(2, b"the reason\n")
        raise RuntimeError

    with pytest.raises(RuntimeError), hide_harmless_messages():
        fail()
    assert capfd.readouterr().err == "the reason\n"


@pytest.mark.shared
def test_a_network_loads_silently(shared):
    file = str(shared / "models/pose_landmark_lite.tflite")
    code = f"from blazepose import PoseTracker; PoseTracker.load({file!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
