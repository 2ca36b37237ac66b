"""Synthetic people: anny's bodies, posed, dressed and rendered by ray casting, with exact labels.

body        body model, skeleton, the 33 landmarks and the regions of the skin
poses       families of postures: standing, seated, lying
appearance  body shape, hair, garments and colors; a dressed, posed figure on the ground
scene       solids, props, environment, camera, and the scene that combines them
render      pixels and visibility with Warp; exposure, blur, noise, JPEG
dataset     COCO labels, rendering on several processes, files on disk; the starter set of data=synthetic
"""

import importlib.util

from blazepose.exceptions import MissingPackageError, install_command


def require_extra() -> None:
    """Raise ImportError that names the extra to install if anny or Warp is missing."""
    missing = [package for package in ("anny", "warp") if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingPackageError(
            f"synthetic people need {' and '.join(missing)}, which is not installed: "
            + install_command("synthetic")
        )
