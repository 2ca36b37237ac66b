"""The phone's camera: where it stands, what it sees."""

import math
from dataclasses import dataclass

import numpy as np

_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera. Coordinate i is the centre of pixel i, as everywhere (geometry).

    Attributes:
        origin: (3,) metres in the world, z up.
        axes: (3, 3), rows right, down and ahead in the world.
        focal_px: focal length.
        center_px: (2,) principal point; outside the middle where a phone's picture was cut around somebody.
        size: side of the square picture, pixels.
    """

    origin: np.ndarray
    axes: np.ndarray
    focal_px: float
    center_px: np.ndarray
    size: int

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to metres along right, down and ahead."""
        return (points - self.origin) @ self.axes.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) to pixels (..., 2); meaningless behind the camera."""
        return project(self.to_camera(points), self.focal_px, self.center_px)


def project(points_camera: np.ndarray, focal_px: float, center_px: np.ndarray) -> np.ndarray:
    """Points (..., 3) in the camera's axes, metres, to pixels (..., 2)."""
    return points_camera[..., :2] / points_camera[..., 2:] * focal_px + center_px


def look_at(origin: np.ndarray, target: np.ndarray, roll_rad: float, focal_px: float, size: int) -> Camera:
    """A camera that looks from one place at another, turned clockwise by `roll_rad` about its own axis."""
    ahead = (target - origin) / np.linalg.norm(target - origin)
    right = np.cross(ahead, _UP)
    right = right / np.linalg.norm(right) if np.linalg.norm(right) > 1e-6 else np.array([1.0, 0.0, 0.0])
    down = np.cross(ahead, right)
    cos, sin = math.cos(roll_rad), math.sin(roll_rad)
    axes = np.stack([cos * right + sin * down, cos * down - sin * right, ahead])
    middle = np.full(2, (size - 1) / 2)
    return Camera(origin, axes, focal_px, middle, size)


@dataclass(frozen=True)
class CameraSpec:
    """How a picture is taken, before it is known of whom.

    Attributes:
        distance_m: from the middle of the person.
        height_m: of the camera over the ground.
        bearing_rad: from where, about the vertical; 0 is from where the person's front is.
        aim_rad: (2,) how far the phone points beside the person, sideways and up.
        roll_rad: of the phone.
        fill: extent of the person over the picture's side; above 1 it is cut off.
        shift: (2,) of the person's middle from the picture's, in sides.
    """

    distance_m: float
    height_m: float
    bearing_rad: float
    aim_rad: tuple[float, float]
    roll_rad: float
    fill: float
    shift: tuple[float, float]


def sample_camera(rng: np.random.Generator) -> CameraSpec:
    """A phone as people hold it or lean it against something: 1 to 5 m away, from the floor to overhead."""
    whole = rng.random() < 0.87
    fill = rng.uniform(0.5, 0.85) if whole else rng.uniform(0.85, 1.5)
    loose = 0.5 * max(0.0, 1 - fill) + (0.0 if whole else 0.08)
    # Half of the people look towards the phone, more or less; the others anywhere.
    bearing = rng.normal(0, math.radians(45)) if rng.random() < 0.5 else rng.uniform(-math.pi, math.pi)
    return CameraSpec(
        distance_m=float(np.exp(rng.uniform(math.log(1.3), math.log(5.0)))),
        height_m=float(
            rng.choice(
                [rng.uniform(0.15, 0.8), rng.uniform(0.8, 1.7), rng.uniform(1.7, 2.6)], p=[0.3, 0.55, 0.15]
            )
        ),
        bearing_rad=float(bearing),
        aim_rad=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.1))),
        roll_rad=float(rng.normal(0, math.radians(5))),
        fill=float(fill),
        shift=(float(rng.uniform(-loose, loose)), float(rng.uniform(-loose, loose))),
    )


def place_camera(shot: CameraSpec, front_rad: float, points: np.ndarray, size: int) -> Camera:
    """The camera of a shot of somebody.

    Args:
        shot: how.
        front_rad: bearing of the person's front.
        points: (points, 3) of the person, metres; its extent is framed.
        size: side of the picture, pixels.
    """
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    # Nobody films from inside a limb: the nearest point stays half a metre away.
    reach = np.linalg.norm((points - middle)[:, :2], axis=1).max()
    away = max(shot.distance_m, float(reach) + 0.5)
    rise = float(np.clip(shot.height_m - middle[2], -0.6 * away, 0.6 * away))
    flat = math.sqrt(away**2 - rise**2)
    bearing = front_rad + shot.bearing_rad
    origin = middle + np.array([math.sin(bearing) * flat, -math.cos(bearing) * flat, rise])
    origin[2] = max(origin[2], 0.05)
    ahead = look_at(origin, middle, 0.0, 1.0, size)
    beside = away * (math.tan(shot.aim_rad[0]) * ahead.axes[0] - math.tan(shot.aim_rad[1]) * ahead.axes[1])
    camera = look_at(origin, middle + beside, shot.roll_rad, 1.0, size)
    seen = project(camera.to_camera(points), 1.0, np.zeros(2))
    low, high = seen.min(axis=0), seen.max(axis=0)
    focal_px = shot.fill * size / float((high - low).max())
    wanted = (np.array(shot.shift) + 0.5) * (size - 1)
    center_px = wanted - focal_px * (low + high) / 2
    return Camera(origin, camera.axes, focal_px, center_px, size)
