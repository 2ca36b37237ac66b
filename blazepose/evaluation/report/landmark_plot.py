"""Plot of PCK per landmark, on a body seen from the front."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from blazepose.evaluation.keypoint_partition import PARTS
from blazepose.topologies import find_topology
from blazepose.topology import mirror_name

_RIGHT_HALF_XY = {
    "nose": (0.0, 0.95),
    "right_eye_inner": (-0.13, 0.76),
    "right_eye": (-0.26, 0.72),
    "right_eye_outer": (-0.39, 0.76),
    "right_ear": (-0.58, 0.92),
    "mouth_right": (-0.15, 1.17),
    "right_shoulder": (-0.75, 1.8),
    "right_elbow": (-1.15, 2.65),
    "right_wrist": (-1.4, 3.45),
    "right_thumb": (-1.2, 3.72),
    "right_index": (-1.42, 3.95),
    "right_pinky": (-1.62, 3.75),
    "right_hip": (-0.45, 3.55),
    "right_knee": (-0.5, 4.9),
    "right_ankle": (-0.5, 6.2),
    "right_heel": (-0.4, 6.48),
    "right_foot_index": (-0.8, 6.55),
}
"""Positions of the right half of the body, on the left of the plot; x and y in about head widths."""

_HEAD = (0.0, 0.95, 0.72)
"""Center x and y, radius."""

_TEXT_SHIFTS = {"thumb": (0.16, 0.0), "index": (0.0, 0.24), "heel": (0.16, 0.05), "wrist": (0.16, 0.0)}
"""Shift of a landmark's number, inwards and down, unless it is the default."""

_DEFAULT_SHIFT = (-0.16, 0.0)
_MARGIN = 0.45
"""Space below the lowest landmark."""

_COLORS = "viridis"
_DPI = 130


def plot_landmarks(metrics: Mapping[str, Any], title: str, file: Path) -> None:
    """Draw PCK@0.2 per landmark; unlabelled landmarks are empty, and the face has one number.

    Args:
        metrics: content of results.json.
        title: title of the plot.
        file: PNG to write.
    """
    topology, positions = find_topology(metrics["topology"]), _positions()
    drawn = {name: positions[name] for name in topology.landmarks if name in positions}
    face = set(PARTS["face"])
    figure = Figure(figsize=(6.4, 6.8), layout="constrained")
    axes = figure.subplots()
    x, y, radius = _HEAD
    axes.add_patch(Circle((x, y), radius, facecolor="0.96", edgecolor="0.8"))
    for ends in topology.edges:
        names = [topology.landmarks[k] for k in ends]
        if set(names) <= drawn.keys() - face:
            x_ends, y_ends = zip(*(drawn[name] for name in names), strict=True)
            axes.plot(x_ends, y_ends, color="0.8", linewidth=3, zorder=1)
    colors = ScalarMappable(Normalize(0, 100), _COLORS)
    for name, position in drawn.items():
        value = metrics["per_landmark"].get(name, {}).get("pck@0.2")
        color = "white" if value is None else colors.to_rgba(value)
        axes.scatter(
            *position,
            s=45 if name in face else 100,
            color=color,
            edgecolor="0.25",
            zorder=2,
        )
        if value is not None and name not in face:
            _write(axes, position, name, f"{value:.0f}")
    if (of_face := metrics["per_part"]["face"]["pck@0.2"]) is not None:
        axes.text(x, y - radius - 0.1, f"face {of_face:.0f}", ha="center", va="bottom", fontsize=9)
    for side, side_x in (("person's right", -1.9), ("person's left", 1.9)):
        axes.text(side_x, 1.2, side, ha="center", fontsize=9, color="0.4")
    lowest = max(y for _, y in drawn.values())
    axes.set(xlim=(-2.4, 2.4), ylim=(lowest + _MARGIN, -0.3), aspect="equal")
    axes.axis("off")
    figure.colorbar(colors, ax=axes, shrink=0.5, label="PCK@0.2, %")
    figure.suptitle(title, fontsize=8, x=0.02, ha="left")
    figure.savefig(file, dpi=_DPI)


def _positions() -> dict[str, tuple[float, float]]:
    """Return the position of every landmark."""
    return _RIGHT_HALF_XY | {mirror_name(name): (-x, y) for name, (x, y) in _RIGHT_HALF_XY.items() if x}


def _write(axes: Axes, position: tuple[float, float], name: str, text: str) -> None:
    inwards, dy = next(
        (shift for part, shift in _TEXT_SHIFTS.items() if part in name.split("_")), _DEFAULT_SHIFT
    )
    dx = inwards if name.startswith("right") else -inwards
    align = "center" if dx == 0 else "left" if dx > 0 else "right"
    axes.text(position[0] + dx, position[1] + dy, text, ha=align, va="center", fontsize=8)
