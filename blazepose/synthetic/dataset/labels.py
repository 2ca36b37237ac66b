"""What a picture shows, exactly: COCO keypoint entries with depth, metres, mask and words beside them."""

from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from blazepose.geometry import roi_from_keypoints
from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.body.landmark_table import LIES_IN
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.synthetic.render.renderer import RenderedFrame, Renderer, Surfaces
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.scene import Scene
from blazepose.topology import LEFT_HIP, LEFT_SHOULDER, NUM_LANDMARKS, RIGHT_HIP, RIGHT_SHOULDER, TORSO

VISIBLE_FLAG, HIDDEN_FLAG = 2, 1
"""COCO's v of a labelled keypoint. Hidden also means outside of the picture."""

_BYSTANDER = 0.4
"""Of whom fewer landmarks are visible, is marked as COCO marks a crowd: not to be learned or scored."""

_MIN_VISIBLE = 0.3
"""Of the person a picture is of, at least so many landmarks are visible, or the scene is drawn anew."""


class Landmarks(NamedTuple):
    """The 33 landmarks of a figure as a camera sees them.

    Attributes:
        pixels: (33, 2).
        inside: (33,) bool, within the picture.
        visible: (33,) bool, within the picture, and nothing before them but the flesh they lie in.
        before: (33,) int32, what else is before them, as Surfaces.kind has it; -1 nothing.
        z_px: (33,) depth from the middle of the hips on the scale of x there, negative towards the camera.
        world_m: (33, 3) from the middle of the hips, x right, y down, z away from the camera.
        hips_m: (3,) the middle of the hips in the camera's axes: camera and world give the pixels.
    """

    pixels: np.ndarray
    inside: np.ndarray
    visible: np.ndarray
    before: np.ndarray
    z_px: np.ndarray
    world_m: np.ndarray
    hips_m: np.ndarray


def see_landmarks(k: int, figure: Figure, camera: Camera, surfaces: Surfaces) -> Landmarks:
    """The landmarks of figure k of a scene; `surfaces` are those before its landmarks."""
    place = camera.to_camera(figure.landmarks)
    hips = place[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
    pixels = camera.project(figure.landmarks)
    inside = ((pixels >= 0) & (pixels < camera.size)).all(axis=1) & (place[:, 2] > 0)
    own = (surfaces.kind == k + 1) & (surfaces.gap_m <= figure.depth_m)
    own &= LIES_IN[np.arange(NUM_LANDMARKS), surfaces.part]
    free = own | (surfaces.gap_m <= 0)
    return Landmarks(
        pixels=pixels,
        inside=inside,
        visible=inside & free,
        before=np.where(free, -1, surfaces.kind),
        z_px=(place[:, 2] - hips[2]) * camera.focal_px / hips[2],
        world_m=place - hips,
        hips_m=hips,
    )


def seen_well(landmarks: Landmarks) -> bool:
    """Enough of the person a picture is of is visible."""
    return bool(landmarks.visible.mean() >= _MIN_VISIBLE)


def landmarks_of(scene: Scene, renderer: Renderer) -> list[Landmarks]:
    """The landmarks of every figure of the scene that the renderer has loaded."""
    if not scene.figures:
        return []
    points = np.concatenate([figure.landmarks for figure in scene.figures])
    met = renderer.surfaces(points)
    own = [slice(k * NUM_LANDMARKS, (k + 1) * NUM_LANDMARKS) for k in range(len(scene.figures))]
    return [
        see_landmarks(k, figure, scene.camera, Surfaces(*(values[own[k]] for values in met)))
        for k, figure in enumerate(scene.figures)
    ]


def annotation(
    k: int,
    scene: Scene,
    landmarks: Landmarks,
    frame: RenderedFrame,
    tailor: FigureBuilder,
    image: int,
    identity: int,
) -> dict[str, Any]:
    """The COCO entry of figure k (see data/README.md, synthetic)."""
    figure = scene.figures[k]
    mask = np.asfortranarray(frame.kind == k + 1)
    encoded = coco_mask.encode(mask.astype(np.uint8))
    flags = np.where(landmarks.visible, VISIBLE_FLAG, HIDDEN_FLAG)
    keypoints = np.column_stack([landmarks.pixels.round(3), flags])
    crowd = landmarks.visible.mean() < _BYSTANDER or not landmarks.inside[list(TORSO)].any()
    return {
        "id": identity,
        "image_id": image,
        "category_id": 1,
        "keypoints": keypoints.ravel().tolist(),
        "num_keypoints": len(keypoints),
        "bbox": coco_mask.toBbox(encoded).tolist(),
        "area": int(coco_mask.area(encoded)),
        "iscrowd": int(k > 0 and crowd),
        "segmentation": {"size": list(mask.shape), "counts": encoded["counts"].decode()},
        "z_px": landmarks.z_px.round(3).tolist(),
        "landmarks_world": landmarks.world_m.round(6).tolist(),
        "hips_camera": landmarks.hips_m.round(6).tolist(),
        "face_box": _face_box(figure, scene.camera, tailor),
        "alignment": _alignment(landmarks.pixels).round(3).tolist(),
        "attributes": _words(figure) | scene.words[k] | _in_the_way(k, scene, landmarks),
        "body": _numbers(figure),
    }


def camera_entry(camera: Camera) -> dict[str, Any]:
    """The camera of an image entry: pixel = focal_px * (x, y) / z + center_px of a point in its axes."""
    return {
        "focal_px": round(float(camera.focal_px), 6),
        "center_px": camera.center_px.round(6).tolist(),
        "height_m": round(float(camera.origin[2]), 3),
        "pitch_deg": round(float(np.degrees(np.arcsin(camera.axes[2, 2]))), 2),
    }


def _face_box(figure: Figure, camera: Camera, tailor: FigureBuilder) -> list[float]:
    """Box around the front of the head, x, y, width, height in pixels, also where it is hidden."""
    face = camera.project(figure.skin[tailor.wardrobe.regions.face])
    low, high = face.min(axis=0), face.max(axis=0)
    return np.concatenate([low, high - low]).round(2).tolist()


def _alignment(pixels: np.ndarray) -> np.ndarray:
    """The two alignment points (2, 2): mid-hip, and on the circle around everybody's points, upwards."""
    roi = roi_from_keypoints(pixels, pixels[[LEFT_HIP, RIGHT_HIP]], pixels[[LEFT_SHOULDER, RIGHT_SHOULDER]])
    center = np.array([roi.center_x, roi.center_y])
    radius = np.linalg.norm(pixels - center, axis=1).max()
    up = np.array([np.sin(roi.rotation_rad), -np.cos(roi.rotation_rad)])
    return np.stack([center, center + radius * up])


def _words(figure: Figure) -> dict[str, str]:
    """Groups of a person, as words."""
    years, gender = figure.shape.years, figure.shape.values["gender"]
    age = "child" if years < 13 else "teenager" if years < 18 else "adult" if years < 60 else "senior"
    return {
        "family": figure.posture.family,
        "upright": "yes" if FAMILIES[figure.posture.family].upright else "no",
        "age_group": age,
        "gender": "female" if gender > 0.5 else "male",
        **figure.look.words,
    }


def _in_the_way(k: int, scene: Scene, landmarks: Landmarks) -> dict[str, str]:
    """What hides a landmark of figure k in the picture: a thing put there, a person or nothing."""
    before = landmarks.before[landmarks.inside]
    if scene.occluder != "none" and (before == 0).any():
        return {"occluder": scene.occluder}
    return {"occluder": "person" if ((before > 0) & (before != k + 1)).any() else "none"}


def _numbers(figure: Figure) -> dict[str, float]:
    """What the body model was told, 0..1 each, with age in years and stature in metres."""
    values = {name: round(value, 3) for name, value in figure.shape.values.items()}
    return {"years": round(figure.shape.years, 1), "stature_m": round(figure.stature, 3), **values}
