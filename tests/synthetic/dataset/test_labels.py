"""Labels of scenes built by hand."""

import math
from dataclasses import replace

import numpy as np

from blazepose.synthetic.dataset.labels import annotation, landmarks_of, seen_well
from blazepose.synthetic.poses.posture import Posture
from blazepose.synthetic.scene.camera import look_at, place_camera, sample_camera
from blazepose.synthetic.scene.solids import rod
from blazepose.topology import INDEX, LEFT_HIP, LEFT_SHOULDER, RIGHT_HIP, RIGHT_SHOULDER
from tests.synthetic.stage import stage


def seen_from(figure, bearing: float, size: int = 96):
    """A picture of somebody, whole, from a bearing against its front."""
    shot = replace(
        sample_camera(np.random.default_rng(0)),
        distance_m=4.0,
        height_m=1.2,
        bearing_rad=bearing,
        aim_rad=(0.0, 0.0),
        roll_rad=0.0,
        fill=0.9,
        shift=(0.0, 0.0),
    )
    return stage([figure], place_camera(shot, figure.front_rad, figure.vertices, size))


def test_left_is_the_persons_left_from_all_sides(renderer, crowd):
    """Facing the camera it is on the right of the picture, from behind on the left."""
    pairs = [("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")]
    for name in ("press", "arms_overhead"):
        for figure in crowd[name]:
            for bearing, sign in ((0.0, 1), (math.pi, -1), (0.4, 1), (math.pi - 0.4, -1)):
                scene = seen_from(figure, bearing)
                renderer.load(scene)
                (seen,) = landmarks_of(scene, renderer)
                for left, right in pairs:
                    apart = seen.pixels[INDEX[left]] - seen.pixels[INDEX[right]]
                    assert apart[0] * sign > 2
                    assert (seen.world_m[INDEX[left]] - seen.world_m[INDEX[right]])[0] * sign > 0.05


def test_toes_are_nearer_than_heels_from_the_front_and_eyes_are_hidden_from_behind(renderer, crowd):
    for figure in crowd["press"]:
        for bearing, sign in ((0.0, -1), (math.pi, 1)):
            scene = seen_from(figure, bearing)
            renderer.load(scene)
            (seen,) = landmarks_of(scene, renderer)
            for side in ("left", "right"):
                ahead = seen.z_px[INDEX[f"{side}_foot_index"]] - seen.z_px[INDEX[f"{side}_heel"]]
                assert ahead * sign > 1
            assert seen.world_m[INDEX["nose"], 1] < -0.2  # y is down
            if bearing:
                assert not seen.visible[INDEX["nose"]]
                assert not seen.visible[INDEX["left_eye"]]
                assert seen.visible[[LEFT_SHOULDER, RIGHT_SHOULDER, INDEX["left_heel"]]].all()
            else:
                assert seen.visible[[INDEX["nose"], INDEX["left_eye"], INDEX["mouth_right"]]].all()
                assert not seen.visible[INDEX["left_heel"]]


def test_the_far_side_is_hidden_in_profile(renderer, crowd):
    for figure in crowd["press"]:
        for bearing, near, far in ((math.pi / 2, "left", "right"), (-math.pi / 2, "right", "left")):
            scene = seen_from(figure, bearing)
            renderer.load(scene)
            (seen,) = landmarks_of(scene, renderer)
            assert seen.visible[[INDEX[f"{near}_{name}"] for name in ("hip", "knee", "ankle")]].all()
            assert not seen.visible[[INDEX[f"{far}_ear"], INDEX[f"{far}_hip"]]].any()
            assert seen.z_px[INDEX[f"{near}_hip"]] < seen.z_px[INDEX[f"{far}_hip"]]


def test_a_hand_before_the_hip_hides_it(renderer, makers):
    """Flesh that a landmark does not lie in hides it, however near it is."""
    rng = np.random.default_rng(0)
    posture = Posture({})  # arms hanging, palms at the thighs
    shape = makers.model.sample_shapes(1, rng)[0]
    (body,) = makers.model.pose([shape], [posture.angles])
    figure = makers.figure(body, shape, posture, rng)
    hip, wrist = figure.landmarks[INDEX["left_hip"]], figure.landmarks[INDEX["left_wrist"]]
    # From beyond the hand, and from the front.
    front = np.array([math.sin(figure.front_rad), -math.cos(figure.front_rad), 0.0])
    for away, hidden in (((wrist - hip) / np.linalg.norm(wrist - hip), True), (front, False)):
        scene = stage([figure], look_at(hip + 0.8 * away, hip, 0.0, 60.0, 96))
        renderer.load(scene)
        (seen,) = landmarks_of(scene, renderer)
        assert seen.visible[INDEX["left_hip"]] != hidden
        assert seen.before[INDEX["left_hip"]] == (1 if hidden else -1)


def test_what_is_in_the_way_is_named(renderer, makers, crowd):
    main, other = crowd["stand"][0], crowd["stand"][1]
    scene = seen_from(main, 0.0)
    bar = rod(*(main.landmarks[[LEFT_HIP, RIGHT_HIP]] + scene.camera.axes[2] * -0.5), 0.3)
    behind = other.moved(scene.camera.axes[2] * [1.0, 1.0, 0.0])
    for figures, things, thing, words in (
        ([main], [], "none", ["none"]),
        ([main], [bar], "bar", ["bar"]),
        ([main], [], "bar", ["none"]),  # it missed
        ([main, behind], [], "none", ["none", "person"]),
        ([main, behind.moved(scene.camera.axes[0] * 2)], [bar], "bar", ["bar", "none"]),
    ):
        shown = stage(figures, scene.camera, *things)
        shown.occluder = thing
        renderer.load(shown)
        seen, frame = landmarks_of(shown, renderer), renderer.frame(shown)
        entries = [annotation(k, shown, seen[k], frame, makers, 0, k) for k in range(len(figures))]
        assert [entry["attributes"]["occluder"] for entry in entries] == words


def test_bystanders_of_whom_little_is_seen_are_marked_as_a_crowd(renderer, makers, crowd):
    main, other = crowd["stand"][0], crowd["stand"][1]
    scene = seen_from(main, 0.0)
    aside, gone = scene.camera.axes[0] * 0.4, scene.camera.axes[0] * 3.0
    for shift, crowded in ((aside, 0), (gone, 1)):
        scene.figures, scene.words = [main, other.moved(shift)], [{}, {}]
        renderer.load(scene)
        seen, frame = landmarks_of(scene, renderer), renderer.frame(scene)
        marks = [annotation(k, scene, seen[k], frame, makers, 7, k)["iscrowd"] for k in range(2)]
        assert marks == [0, crowded]
    assert seen_well(seen[0])
    assert not seen_well(seen[1])
    # The person a picture is of is never a crowd.
    scene.figures = [main.moved(gone)]
    renderer.load(scene)
    (lost,) = landmarks_of(scene, renderer)
    assert annotation(0, scene, lost, renderer.frame(scene), makers, 7, 1)["iscrowd"] == 0


def test_nobody_has_no_landmarks(renderer, crowd):
    scene = seen_from(crowd["stand"][0], 0.0)
    scene.figures = []
    renderer.load(scene)
    assert landmarks_of(scene, renderer) == []
