"""Exact labels of rendered images: COCO keypoint entries with depth, meters, mask and attributes."""

from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as coco_mask

from blazepose.geometry import roi_from_keypoints
from blazepose.synthetic.appearance.figure import Figure, FigureBuilder
from blazepose.synthetic.body.landmark_table import LANDMARK_PARTS
from blazepose.synthetic.poses.families import FAMILIES
from blazepose.synthetic.render.renderer import RenderedFrame, Renderer, Surfaces
from blazepose.synthetic.scene.camera import Camera
from blazepose.synthetic.scene.scene import Scene
from blazepose.topologies.full_body import (
    LEFT_HIP,
    LEFT_SHOULDER,
    NUM_LANDMARKS,
    RIGHT_HIP,
    RIGHT_SHOULDER,
    TORSO,
)

VISIBLE_FLAG, HIDDEN_FLAG = 2, 1
"""COCO's v of a labelled keypoint. Hidden includes outside of the image."""

_CROWD_VISIBLE_FRACTION = 0.4
"""Bystanders with a smaller visible fraction of landmarks get COCO's iscrowd: not trained on, not scored."""

_MIN_VISIBLE_FRACTION = 0.3
"""A scene is sampled anew if its main person has a smaller visible fraction of landmarks."""


class Landmarks(NamedTuple):
    """The 33 landmarks of a figure in a camera's image.

    Attributes:
        pixels: (33, 2) image coordinates.
        inside: (33,) bool, within the image.
        visible: (33,) bool, within the image and occluded only by the body part that contains them.
        occluded_by: (33,) int32, kind of the occluding surface, as Surfaces.kind; -1 none.
        z_px: (33,) depth from the mid-hip on the scale of x there, negative towards the camera.
        world_m: (33, 3) from the mid-hip, x right, y down, z away from the camera.
        hips_m: (3,) mid-hip in camera axes: camera, hips_m and world_m give the pixels.
    """

    pixels: np.ndarray
    inside: np.ndarray
    visible: np.ndarray
    occluded_by: np.ndarray
    z_px: np.ndarray
    world_m: np.ndarray
    hips_m: np.ndarray


def project_landmarks(k: int, figure: Figure, camera: Camera, surfaces: Surfaces) -> Landmarks:
    """Compute the landmarks of figure k of a scene; `surfaces` are the first ones towards its landmarks."""
    points = camera.to_camera(figure.landmarks)
    hips = points[[LEFT_HIP, RIGHT_HIP]].mean(axis=0)
    pixels = camera.project(figure.landmarks)
    inside = ((pixels >= 0) & (pixels < camera.size)).all(axis=1) & (points[:, 2] > 0)
    own_flesh = (surfaces.kind == k + 1) & (surfaces.gap_m <= figure.depth_m)
    own_flesh &= LANDMARK_PARTS[np.arange(NUM_LANDMARKS), surfaces.part]
    unoccluded = own_flesh | (surfaces.gap_m <= 0)
    return Landmarks(
        pixels=pixels,
        inside=inside,
        visible=inside & unoccluded,
        occluded_by=np.where(unoccluded, -1, surfaces.kind),
        z_px=(points[:, 2] - hips[2]) * camera.focal_px / hips[2],
        world_m=points - hips,
        hips_m=hips,
    )


def is_visible_enough(landmarks: Landmarks) -> bool:
    """Return whether enough landmarks of the main person are visible."""
    return bool(landmarks.visible.mean() >= _MIN_VISIBLE_FRACTION)


def scene_landmarks(scene: Scene, renderer: Renderer) -> list[Landmarks]:
    """Compute the landmarks of every figure of the scene that the renderer has loaded."""
    if not scene.figures:
        return []
    points = np.concatenate([figure.landmarks for figure in scene.figures])
    surfaces = renderer.first_surfaces(points)
    rows = [slice(k * NUM_LANDMARKS, (k + 1) * NUM_LANDMARKS) for k in range(len(scene.figures))]
    return [
        project_landmarks(k, figure, scene.camera, Surfaces(*(values[rows[k]] for values in surfaces)))
        for k, figure in enumerate(scene.figures)
    ]


def annotation(
    k: int,
    scene: Scene,
    landmarks: Landmarks,
    frame: RenderedFrame,
    builder: FigureBuilder,
    image_id: int,
    annotation_id: int,
) -> dict[str, Any]:
    """Return the COCO annotation of figure k (see data/README.md, synthetic)."""
    figure = scene.figures[k]
    mask = np.asfortranarray(frame.kind == k + 1)
    rle = coco_mask.encode(mask.astype(np.uint8))
    flags = np.where(landmarks.visible, VISIBLE_FLAG, HIDDEN_FLAG)
    keypoints = np.column_stack([landmarks.pixels.round(3), flags])
    crowd = landmarks.visible.mean() < _CROWD_VISIBLE_FRACTION or not landmarks.inside[list(TORSO)].any()
    return {
        "id": annotation_id,
        "image_id": image_id,
        "category_id": 1,
        "keypoints": keypoints.ravel().tolist(),
        "num_keypoints": len(keypoints),
        "bbox": coco_mask.toBbox(rle).tolist(),
        "area": int(coco_mask.area(rle)),
        "iscrowd": int(k > 0 and crowd),
        "segmentation": {"size": list(mask.shape), "counts": rle["counts"].decode()},
        "z_px": landmarks.z_px.round(3).tolist(),
        "landmarks_world": landmarks.world_m.round(6).tolist(),
        "hips_camera": landmarks.hips_m.round(6).tolist(),
        "face_box": _face_box(figure, scene.camera, builder),
        "alignment": _alignment_points(landmarks.pixels).round(3).tolist(),
        "attributes": _attributes(figure) | scene.attributes[k] | _occluder(k, scene, landmarks),
        "body": _body_parameters(figure),
    }


def camera_entry(camera: Camera) -> dict[str, Any]:
    """Return the camera of an image entry: pixel = focal_px * (x, y) / z + center_px in camera axes."""
    return {
        "focal_px": round(float(camera.focal_px), 6),
        "center_px": camera.center_px.round(6).tolist(),
        "height_m": round(float(camera.origin[2]), 3),
        "pitch_deg": round(float(np.degrees(np.arcsin(camera.axes[2, 2]))), 2),
    }


def _face_box(figure: Figure, camera: Camera, builder: FigureBuilder) -> list[float]:
    """Compute the box around the face, hidden or not: x, y, width, height in pixels."""
    face = camera.project(figure.skin[builder.appearance_sampler.regions.face])
    low, high = face.min(axis=0), face.max(axis=0)
    return np.concatenate([low, high - low]).round(2).tolist()


def _alignment_points(pixels: np.ndarray) -> np.ndarray:
    """Compute the alignment points (2, 2): mid-hip, and the top of the circle around all landmarks."""
    roi = roi_from_keypoints(pixels, pixels[[LEFT_HIP, RIGHT_HIP]], pixels[[LEFT_SHOULDER, RIGHT_SHOULDER]])
    center = np.array([roi.center_x, roi.center_y])
    radius = np.linalg.norm(pixels - center, axis=1).max()
    up = np.array([np.sin(roi.rotation_rad), -np.cos(roi.rotation_rad)])
    return np.stack([center, center + radius * up])


def _attributes(figure: Figure) -> dict[str, str]:
    """Return the attributes of a person."""
    years, gender = figure.shape.years, figure.shape.phenotype["gender"]
    age = "child" if years < 13 else "teenager" if years < 18 else "adult" if years < 60 else "senior"
    return {
        "family": figure.posture.family,
        "upright": "yes" if FAMILIES[figure.posture.family].upright else "no",
        "age_group": age,
        "gender": "female" if gender > 0.5 else "male",
        **figure.appearance.attributes,
    }


def _occluder(k: int, scene: Scene, landmarks: Landmarks) -> dict[str, str]:
    """Return the occluder of landmarks of figure k: an object placed there, a person or none."""
    kinds = landmarks.occluded_by[landmarks.inside]
    if scene.occluder != "none" and (kinds == 0).any():
        return {"occluder": scene.occluder}
    return {"occluder": "person" if ((kinds > 0) & (kinds != k + 1)).any() else "none"}


def _body_parameters(figure: Figure) -> dict[str, float]:
    """Return the parameters of the body model, 0..1 each, with age in years and stature in meters."""
    values = {name: round(value, 3) for name, value in figure.shape.phenotype.items()}
    return {"years": round(figure.shape.years, 1), "stature_m": round(figure.stature, 3), **values}
