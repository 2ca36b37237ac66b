"""Images behind and in front of each other in a window, and the people visible then."""

from dataclasses import replace

import cv2
import numpy as np

from tests.data.painted import AROUND, MAGENTA, STILL, dataset, pixel


def test_a_background_is_only_outside_the_image(two_people, wall):
    turned = replace(STILL, full_image_prob=0.3, rotation_deg=180.0, min_size=0.05, max_size=0.1)
    plain = dataset([two_people], turned, negatives=[wall])
    behind = dataset([two_people], replace(turned, background_prob=1.0), negatives=[wall])
    num_changed = 0
    for epoch in range(12):
        before, after = plain[2 * epoch]["image"], behind[2 * epoch]["image"]
        changed = (before != after).any(axis=2)
        assert (after[changed] == MAGENTA).all()
        assert changed[~before.any(axis=2)].all()
        # Half of the pixels mixed with black at the edge of the image may change, too.
        assert (before[changed].max(axis=1) <= 66).all()
        num_changed += changed.any()
    assert num_changed >= 6


def test_pasted_people_are_labelled_where_visible_and_cover_no_person(two_people):
    """An image is 0.4 of the window wide."""
    small = replace(AROUND, min_size=0.05, max_size=0.05)
    alone, together = dataset([two_people], small), dataset([two_people], replace(small, copy_paste_prob=1.0))
    counts, hidden, in_front = [], 0, []
    for epoch in range(40):
        before, sample = alone[epoch], together[epoch]
        inside = before["image"].any(axis=2)
        in_front.append((sample["image"][inside] != before["image"][inside]).any())
        boxes = sample["boxes"][sample["people"]]
        for box in boxes:
            if (abs(box[:2] - 0.5) < 0.48).all():
                color = pixel(sample, box[:2])
                assert color[1] < 90
                assert abs(color[0] - color[2]) > 130
        original = before["boxes"][before["people"]]
        assert set(map(tuple, original)) <= set(map(tuple, boxes))
        assert len(boxes) <= len(original) + 2
        counts.append(len(boxes))
        hidden += (sample["ignored"][:, 3] > 0).sum() > (before["ignored"][:, 3] > 0).sum() + 1
    assert counts.count(4) > 3
    assert hidden > 3
    assert 0 < np.mean(in_front) < 0.5  # some pasted images lie outside this one


def test_nothing_is_pasted_over_an_image_that_fills_the_window(two_people, tmp_path):
    image = cv2.copyMakeBorder(cv2.imread(str(two_people.image)), 0, 60, 0, 0, cv2.BORDER_REPLICATE)
    square = tmp_path / "square.png"
    cv2.imwrite(str(square), image)
    filling = replace(two_people, image=square, size=None)
    alone, together = (dataset([filling], replace(STILL, copy_paste_prob=prob)) for prob in (0.0, 1.0))
    np.testing.assert_array_equal(alone[0]["image"], together[0]["image"])
    assert together[0]["people"].sum() == 2


def test_pasted_negative_images_add_no_people(two_people, wall):
    small = replace(AROUND, min_size=0.05, max_size=0.05, copy_paste_prob=1.0)
    windows, walls = dataset([two_people], small, negatives=[wall]), 0
    for epoch in range(12):
        sample = windows[2 * epoch]
        assert sample["people"].sum() <= 4
        behind = (np.abs(sample["image"].astype(int) - MAGENTA).max(axis=2) < 3).any()
        assert sample["people"].sum() <= 2 or not behind
        walls += behind
    assert walls > 2
