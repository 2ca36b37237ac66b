"""Sessions of torch.export's programs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blazepose.file_content import check_file, unreadable
from blazepose.runtime.inference_sessions import METADATA_KEY


class Pt2Session:
    """Session of a `.pt2` file.

    Args:
        path: the file.
        entry: not used; these files have no entries.
        num_threads: None leaves torch's default.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged.
    """

    def __init__(self, path: Path, entry: str, num_threads: int | None = None) -> None:
        import torch  # here, since the runtime imports no torch

        if num_threads:
            torch.set_num_threads(num_threads)
        check_file(path, "a program of torch.export", "choose an exported network")
        files = {METADATA_KEY: ""}
        try:
            program = torch.export.load(path, extra_files=files)
        except Exception as error:  # torch's errors share no narrower type
            raise unreadable(path, "a program of torch.export", error, None) from error
        self._torch, self._net = torch, program.module()
        self.metadata: Mapping[str, Any] = json.loads(files[METADATA_KEY])
        size = self.metadata["input"]["size"]
        self.inputs: Sequence[Sequence[Any]] = [(1, size, size, 3, "float32")]
        blank = np.zeros((1, size, size, 3), np.float32)
        self.outputs: Sequence[Sequence[Any]] = [output.shape for output in self(blank)]

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        with self._torch.inference_mode():
            return [output.numpy() for output in self._net(self._torch.from_numpy(images))]
