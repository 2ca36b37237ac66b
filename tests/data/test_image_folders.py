import pytest

from blazepose.data.image_folders import find_image_files


def test_negative_images(tiny_lsp, tmp_path):
    assert find_image_files(None, "data.negatives") == []
    assert len(find_image_files(str(tiny_lsp), "data.negatives")) == 24
    with pytest.raises(FileNotFoundError, match=r"data\.negatives: .*nowhere is not a folder"):
        find_image_files([str(tmp_path / "nowhere")], "data.negatives")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"data\.negatives: .*empty holds no image; name a folder of images$"
    ):
        find_image_files([str(tmp_path / "empty")], "data.negatives")
