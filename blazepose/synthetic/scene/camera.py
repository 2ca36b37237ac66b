"""Pinhole camera, and sampling of its position and framing."""

import math
from dataclasses import dataclass

import numpy as np

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera. Coordinate i is the center of pixel i, as everywhere (geometry).

    Attributes:
        origin: (3,) meters in the world, z up.
        axes: (3, 3), rows right, down and ahead in the world.
        focal_px: focal length.
        center_px: (2,) principal point; off-center, as in a photo cropped around a person.
        size: side of the square image, pixels.
    """

    origin: np.ndarray
    axes: np.ndarray
    focal_px: float
    center_px: np.ndarray
    size: int

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """Convert world points (..., 3) to camera axes: meters right, down and ahead."""
        return (points - self.origin) @ self.axes.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points (..., 3) to pixels (..., 2); invalid behind the camera."""
        return project(self.to_camera(points), self.focal_px, self.center_px)


def project(points_camera: np.ndarray, focal_px: float, center_px: np.ndarray) -> np.ndarray:
    """Project points (..., 3) in camera axes, meters, to pixels (..., 2)."""
    return points_camera[..., :2] / points_camera[..., 2:] * focal_px + center_px


def look_at(origin: np.ndarray, target: np.ndarray, roll_rad: float, focal_px: float, size: int) -> Camera:
    """Create a camera at `origin` aimed at `target`, rolled clockwise by `roll_rad`."""
    ahead = (target - origin) / np.linalg.norm(target - origin)
    right = np.cross(ahead, _UP)
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-6 else np.array([1.0, 0.0, 0.0])
    down = np.cross(ahead, right)
    cos, sin = math.cos(roll_rad), math.sin(roll_rad)
    axes = np.stack([cos * right + sin * down, cos * down - sin * right, ahead])
    center_px = np.full(2, (size - 1) / 2)
    return Camera(origin, axes, focal_px, center_px, size)


@dataclass(frozen=True)
class CameraSpec:
    """Camera placement relative to a person.

    Attributes:
        distance_m: distance from the center of the person.
        height_m: height above the ground.
        azimuth_rad: azimuth about the vertical; 0 is in front of the person.
        aim_rad: (2,) angle between optical axis and person, sideways and up.
        roll_rad: roll of the camera.
        fill: extent of the person over the image side; above 1 the person is cut off.
        shift: (2,) offset of the person's center from the image center, in image sides.
    """

    distance_m: float
    height_m: float
    azimuth_rad: float
    aim_rad: tuple[float, float]
    roll_rad: float
    fill: float
    shift: tuple[float, float]


def sample_camera(rng: np.random.Generator) -> CameraSpec:
    """Sample a handheld or propped-up phone: 1 to 5 m away, from the floor to overhead."""
    whole = rng.random() < 0.87
    fill = rng.uniform(0.5, 0.85) if whole else rng.uniform(0.85, 1.5)
    max_shift = 0.5 * max(0.0, 1 - fill) + (0.0 if whole else 0.08)
    # Half of the people face the phone roughly; the others have any heading.
    azimuth = rng.normal(0, math.radians(45)) if rng.random() < 0.5 else rng.uniform(-math.pi, math.pi)
    return CameraSpec(
        distance_m=float(np.exp(rng.uniform(math.log(1.3), math.log(5.0)))),
        height_m=float(
            rng.choice(
                [rng.uniform(0.15, 0.8), rng.uniform(0.8, 1.7), rng.uniform(1.7, 2.6)], p=[0.3, 0.55, 0.15]
            )
        ),
        azimuth_rad=float(azimuth),
        aim_rad=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.1))),
        roll_rad=float(rng.normal(0, math.radians(5))),
        fill=float(fill),
        shift=(float(rng.uniform(-max_shift, max_shift)), float(rng.uniform(-max_shift, max_shift))),
    )


def place_camera(spec: CameraSpec, heading_rad: float, points: np.ndarray, size: int) -> Camera:
    """Place a camera so that it frames a person.

    Args:
        spec: placement relative to the person.
        heading_rad: azimuth of the person's front.
        points: (points, 3) of the person, meters; their extent is framed.
        size: side of the image, pixels.
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    # The camera is never inside a limb: the nearest point stays half a meter away.
    reach = np.linalg.norm((points - middle)[:, :2], axis=1).max()
    distance = max(spec.distance_m, float(reach) + 0.5)
    rise = float(np.clip(spec.height_m - middle[2], -0.6 * distance, 0.6 * distance))
    horizontal = math.sqrt(distance**2 - rise**2)
    azimuth = heading_rad + spec.azimuth_rad
    origin = middle + np.array([math.sin(azimuth) * horizontal, -math.cos(azimuth) * horizontal, rise])
    origin[2] = max(origin[2], 0.05)
    right, down, _ = look_at(origin, middle, 0.0, 1.0, size).axes
    aim = distance * (math.tan(spec.aim_rad[0]) * right - math.tan(spec.aim_rad[1]) * down)
    camera = look_at(origin, middle + aim, spec.roll_rad, 1.0, size)
    projected = project(camera.to_camera(points), 1.0, np.zeros(2))
    low, high = projected.min(axis=0), projected.max(axis=0)
    focal_px = spec.fill * size / float((high - low).max())
    target_px = (np.array(spec.shift) + 0.5) * (size - 1)
    center_px = target_px - focal_px * (low + high) / 2
    return Camera(origin, camera.axes, focal_px, center_px, size)
