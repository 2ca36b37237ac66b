"""Synthetic people: anny's bodies, posed, dressed, photographed by ray casting, with exact labels.

body, skeleton, landmarks               the body model, its joints, the 33 on it
families, posture, standing, low, lying  what people do
regions, wardrobe, figure               what they wear; somebody on the ground
solids, color, room, props, camera, scene  where they are, and with what, before which camera
cover, pattern, shade, render, sensor   pixels and visibility by Warp; exposure, blur, noise, JPEG
labels, studio, folder, workers, preview  COCO entries, a chunk of a set, on disk, on several processes
starter                                 whole sets, and the one that data=synthetic makes
"""

import importlib.util


def require_extra() -> None:
    """Raise ImportError, which names the extra to install, if anny or Warp is missing."""
    missing = [package for package in ("anny", "warp") if importlib.util.find_spec(package) is None]
    if missing:
        raise ImportError(
            f"synthetic people need {' and '.join(missing)}, which is not installed: "
            'pip install -c constraints.txt -e ".[synthetic]"'
        )
