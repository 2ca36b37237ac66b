"""JSON lines of blazepose track. Keys: docs/reference/files.md."""

from dataclasses import asdict
from typing import Any

import numpy as np

from blazepose.runtime.media import Frame
from blazepose.runtime.pose import Pose

_DECIMALS = 5


def frame_to_json(number: int, frame: Frame, poses: list[Pose]) -> dict[str, Any]:
    """Convert a frame to a JSON object, with or without people: number, time, file of an image, poses."""
    record: dict[str, Any] = {
        "frame": number,
        "time_ms": None if frame.time_ms is None else round(frame.time_ms, _DECIMALS),
    }
    if frame.path:
        record["image"] = str(frame.path)
    return {**record, "poses": [_pose_to_json(pose) for pose in poses]}


def _pose_to_json(pose: Pose) -> dict[str, Any]:
    return {
        "id": pose.id,
        "landmarks": _rounded(pose.landmarks),
        "landmarks_world": None if pose.world is None else _rounded(pose.world),
        "pose_presence": round(pose.pose_presence, _DECIMALS),
        "roi": {name: round(value, _DECIMALS) for name, value in asdict(pose.roi).items()},
    }


def _rounded(values: np.ndarray) -> list[list[float]]:
    return values.astype(np.float64).round(_DECIMALS).tolist()
