"""Pictures behind and before each other in a window, and whom one can see then."""

from dataclasses import replace

import cv2
import numpy as np

from tests.data.painted import AROUND, MAGENTA, STILL, dataset, pixel


def test_a_backdrop_is_only_outside_the_picture(two_people, wall):
    turned = replace(STILL, full_image_prob=0.3, rotation_deg=180.0, min_size=0.05, max_size=0.1)
    plain = dataset([two_people], turned, negatives=[wall])
    behind = dataset([two_people], replace(turned, background_prob=1.0), negatives=[wall])
    seen = 0
    for epoch in range(12):
        before, after = plain[2 * epoch]["image"], behind[2 * epoch]["image"]
        changed = (before != after).any(axis=2)
        assert (after[changed] == MAGENTA).all()
        assert changed[~before.any(axis=2)].all()
        # Half of what is mixed with the black at the edge of the picture may go, too.
        assert (before[changed].max(axis=1) <= 66).all()
        seen += changed.any()
    assert seen >= 6


def test_company_is_labelled_where_it_is_seen_and_hides_nobody(two_people):
    """A picture is 0.4 of the window wide."""
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
        own = before["boxes"][before["people"]]
        assert set(map(tuple, own)) <= set(map(tuple, boxes))
        assert len(boxes) <= len(own) + 2
        counts.append(len(boxes))
        hidden += (sample["ignored"][:, 3] > 0).sum() > (before["ignored"][:, 3] > 0).sum() + 1
    assert counts.count(4) > 3
    assert hidden > 3
    assert 0 < np.mean(in_front) < 0.5  # some only looks away from the picture


def test_company_of_a_picture_that_leaves_no_room_is_not_seen(two_people, tmp_path):
    image = cv2.copyMakeBorder(cv2.imread(str(two_people.image)), 0, 60, 0, 0, cv2.BORDER_REPLICATE)
    square = tmp_path / "square.png"
    cv2.imwrite(str(square), image)
    filling = replace(two_people, image=square, size=None)
    alone, together = (dataset([filling], replace(STILL, copy_paste_prob=company)) for company in (0.0, 1.0))
    np.testing.assert_array_equal(alone[0]["image"], together[0]["image"])
    assert together[0]["people"].sum() == 2


def test_people_free_company_adds_nobody(two_people, wall):
    small = replace(AROUND, min_size=0.05, max_size=0.05, copy_paste_prob=1.0)
    windows, walls = dataset([two_people], small, negatives=[wall]), 0
    for epoch in range(12):
        sample = windows[2 * epoch]
        assert sample["people"].sum() <= 4
        behind = (np.abs(sample["image"].astype(int) - MAGENTA).max(axis=2) < 3).any()
        assert sample["people"].sum() <= 2 or not behind
        walls += behind
    assert walls > 2
