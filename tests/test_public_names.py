import subprocess
import sys

import pytest

import blazepose


def test_public_names_are_those_of_their_modules():
    from blazepose.geometry import Roi
    from blazepose.runtime.tracker import PoseTracker

    assert blazepose.Roi is Roi
    assert blazepose.PoseTracker is PoseTracker
    assert all(getattr(blazepose, name) is not None and name in dir(blazepose) for name in blazepose.__all__)


def test_unknown_names():
    with pytest.raises(AttributeError, match="module 'blazepose' has no attribute 'PoseTraker'"):
        _ = blazepose.PoseTraker


def loaded(code: str) -> str:
    heavy = "{'torch', 'cv2', 'numpy'}"
    code = f"import sys; {code}; print(sorted({heavy} & set(sys.modules)))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_nothing_is_imported_before_it_is_used():
    assert loaded("import blazepose") == "[]"
    assert loaded("import blazepose; blazepose.PoseTracker; blazepose.draw_poses") == "['cv2', 'numpy']"
