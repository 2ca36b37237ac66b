"""Synthetic people: anny's bodies, posed, dressed, photographed by ray casting, with exact labels.

body        the body model, its skeleton, the 33 landmarks and the regions of its skin
poses       families of postures: standing, seated, lying
appearance  body shape, hair, garments and colors; a dressed, posed figure on the ground
scene       solids, props, environment, camera, and a scene of them
render      pixels and visibility by Warp; exposure, blur, noise, JPEG
dataset     COCO labels, chunks of a data set on several processes, on disk; the starter set of data=synthetic
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
