"""The contact sheet."""

import cv2
import numpy as np

from blazepose.synthetic.dataset.folder import Split
from blazepose.synthetic.dataset.preview import draw_preview


def test_a_sheet_shows_images_without_and_with_labels(rendered, tmp_path):
    draw_preview(Split(rendered, "train", 16), tmp_path / "new" / "sheet.png")
    sheet = cv2.imread(str(tmp_path / "new" / "sheet.png"))
    assert sheet.shape == (4 * 256, 8 * 256, 3)
    tiles = sheet.reshape(4, 256, 8, 256, 3).transpose(0, 2, 1, 3, 4).reshape(32, 256, 256, 3)
    plain, labelled = tiles[::2], tiles[1::2]
    assert plain.std(axis=(1, 2, 3)).min() > 5
    for number, (tile, drawn) in enumerate(zip(plain, labelled, strict=True)):
        image = cv2.imread(str(rendered / "train" / "images" / f"{number:06d}.jpg"))
        np.testing.assert_array_equal(tile, image)
        changed = (tile != drawn).any(axis=2).mean()
        assert 0.02 < changed < 0.9
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]


def test_the_last_row_is_filled_with_black(rendered, tmp_path):
    draw_preview(Split(rendered, "val", 8), tmp_path / "sheet.png")
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (2 * 256, 8 * 256, 3)
