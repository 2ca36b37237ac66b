"""A short video, and a scripted world."""

import gc
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from blazepose.runtime.media import VideoWriter
from tests.runtime.scripted import World
from tests.runtime.stub_tracker import TIMES_MS


@pytest.fixture(scope="module", autouse=True)
def _no_decoder_left():
    """Collect decoders: a process that a later test forks would wait for their threads."""
    yield
    gc.collect()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    with VideoWriter(tmp_path / "in.mp4", Fraction(30)) as writer:
        for time_ms in TIMES_MS:
            writer.write(np.full((80, 120, 3), 90, np.uint8), time_ms)
    return tmp_path / "in.mp4"


@pytest.fixture
def world(monkeypatch) -> World:
    return World(monkeypatch)
