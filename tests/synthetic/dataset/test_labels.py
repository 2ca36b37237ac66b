"""Labels of scenes built by hand."""

import math
from dataclasses import replace

import numpy as np

from blazepose.synthetic.dataset.labels import annotation, is_visible_enough, scene_landmarks
from blazepose.synthetic.poses.posture import Posture
from blazepose.synthetic.scene.camera import look_at, place_camera, sample_camera
from blazepose.synthetic.scene.solids import cylinder
from blazepose.topologies.full_body import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from tests.synthetic.stage import stage


def scene_from(figure, azimuth: float, size: int = 96):
    """Build a scene that shows a whole person from an azimuth relative to the front."""
    spec = replace(
        sample_camera(np.random.default_rng(0)),
        distance_m=4.0,
        height_m=1.2,
        azimuth_rad=azimuth,
        aim_rad=(0.0, 0.0),
        roll_rad=0.0,
        fill=0.9,
        shift=(0.0, 0.0),
    )
    return stage([figure], place_camera(spec, figure.heading_rad, figure.vertices, size))


def test_left_is_the_persons_left_from_all_sides(renderer, crowd):
    """Facing the camera it is on the right of the image, from behind on the left."""
    pairs = [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")]
    for name in ("press", "arms_overhead"):
        for figure in crowd[name]:
            for azimuth, sign in ((0.0, 1), (math.pi, -1), (0.4, 1), (math.pi - 0.4, -1)):
                scene = scene_from(figure, azimuth)
                renderer.load(scene)
                (labels,) = scene_landmarks(scene, renderer)
                for left, right in pairs:
                    offset = labels.pixels[INDEX[left]] - labels.pixels[INDEX[right]]
                    assert offset[0] * sign > 2
                    assert (labels.world_m[INDEX[left]] - labels.world_m[INDEX[right]])[0] * sign > 0.05


def test_toes_are_nearer_than_heels_from_the_front_and_eyes_are_hidden_from_behind(renderer, crowd):
    for figure in crowd["press"]:
        for azimuth, sign in ((0.0, -1), (math.pi, 1)):
            scene = scene_from(figure, azimuth)
            renderer.load(scene)
            (labels,) = scene_landmarks(scene, renderer)
            for side in ("left", "right"):
                ahead = labels.z_px[INDEX[f"{side}_foot_index"]] - labels.z_px[INDEX[f"{side}_heel"]]
                assert ahead * sign > 1
            assert labels.world_m[INDEX["nose"], 1] < -0.2  # y is down
            if azimuth:
                assert not labels.visible[INDEX["nose"]]
                assert not labels.visible[INDEX["left_eye"]]
                assert labels.visible[[LEFT_SHOULDER, RIGHT_SHOULDER, INDEX["left_heel"]]].all()
            else:
                assert labels.visible[[INDEX["nose"], INDEX["left_eye"], INDEX["mouth_right"]]].all()
                assert not labels.visible[INDEX["left_heel"]]


def test_the_far_side_is_hidden_in_profile(renderer, crowd):
    for figure in crowd["press"]:
        for azimuth, near, far in ((math.pi / 2, "left", "right"), (-math.pi / 2, "right", "left")):
            scene = scene_from(figure, azimuth)
            renderer.load(scene)
            (labels,) = scene_landmarks(scene, renderer)
            assert labels.visible[[INDEX[f"{near}_{name}"] for name in ("hip", "knee", "ankle")]].all()
            assert not labels.visible[[INDEX[f"{far}_ear"], INDEX[f"{far}_hip"]]].any()
            assert labels.z_px[INDEX[f"{near}_hip"]] < labels.z_px[INDEX[f"{far}_hip"]]


def test_a_hand_before_the_hip_occludes_it(renderer, builder):
    """A body part that does not contain a landmark occludes it, however near it is."""
    rng = np.random.default_rng(0)
    posture = Posture({})  # arms hanging, palms at the thighs
    shape = builder.model.sample_shapes(1, rng)[0]
    (body,) = builder.model.pose([shape], [posture.angles])
    figure = builder.build(body, shape, posture, rng)
    hip, wrist = figure.landmarks[INDEX["left_hip"]], figure.landmarks[INDEX["left_wrist"]]
    # From beyond the hand, and from the front.
    front = np.array([math.sin(figure.heading_rad), -math.cos(figure.heading_rad), 0.0])
    for direction, hidden in (((wrist - hip) / np.linalg.norm(wrist - hip), True), (front, False)):
        scene = stage([figure], look_at(hip + 0.8 * direction, hip, 0.0, 60.0, 96))
        renderer.load(scene)
        (labels,) = scene_landmarks(scene, renderer)
        assert labels.visible[INDEX["left_hip"]] != hidden
        assert labels.occluded_by[INDEX["left_hip"]] == (1 if hidden else -1)


def test_the_occluder_is_labelled(renderer, builder, crowd):
    main, other = crowd["stand"][0], crowd["stand"][1]
    scene = scene_from(main, 0.0)
    bar = cylinder(*(main.landmarks[[LEFT_HIP, RIGHT_HIP]] + scene.camera.axes[2] * -0.5), 0.3)
    behind = other.translated(scene.camera.axes[2] * [1.0, 1.0, 0.0])
    for figures, solids, occluder, expected in (
        ([main], [], "none", ["none"]),
        ([main], [bar], "bar", ["bar"]),
        ([main], [], "bar", ["none"]),  # the bar occludes no landmark
        ([main, behind], [], "none", ["none", "person"]),
        ([main, behind.translated(scene.camera.axes[0] * 2)], [bar], "bar", ["bar", "none"]),
    ):
        shown = stage(figures, scene.camera, *solids)
        shown.occluder = occluder
        renderer.load(shown)
        labels, frame = scene_landmarks(shown, renderer), renderer.render(shown)
        entries = [annotation(k, shown, labels[k], frame, builder, 0, k) for k in range(len(figures))]
        assert [entry["attributes"]["occluder"] for entry in entries] == expected


def test_mostly_hidden_bystanders_are_crowd(renderer, builder, crowd):
    main, other = crowd["stand"][0], crowd["stand"][1]
    scene = scene_from(main, 0.0)
    aside, gone = scene.camera.axes[0] * 0.4, scene.camera.axes[0] * 3.0
    for shift, crowded in ((aside, 0), (gone, 1)):
        scene.figures, scene.attributes = [main, other.translated(shift)], [{}, {}]
        renderer.load(scene)
        labels, frame = scene_landmarks(scene, renderer), renderer.render(scene)
        marks = [annotation(k, scene, labels[k], frame, builder, 7, k)["iscrowd"] for k in range(2)]
        assert marks == [0, crowded]
    assert is_visible_enough(labels[0])
    assert not is_visible_enough(labels[1])
    # The main person is never crowd.
    scene.figures = [main.translated(gone)]
    renderer.load(scene)
    (lost,) = scene_landmarks(scene, renderer)
    assert annotation(0, scene, lost, renderer.render(scene), builder, 7, 1)["iscrowd"] == 0


def test_a_scene_without_people_has_no_landmarks(renderer, crowd):
    scene = scene_from(crowd["stand"][0], 0.0)
    scene.figures = []
    renderer.load(scene)
    assert scene_landmarks(scene, renderer) == []
