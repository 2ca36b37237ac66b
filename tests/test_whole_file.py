"""Files that appear whole."""

import pytest

from blazepose.whole_file import whole_file


def test_appears_when_complete(tmp_path):
    file = tmp_path / "new" / "results.json"
    with whole_file(file) as part:
        part.write_text("half")
        assert not file.exists()
        assert part.suffix == ".json"
    assert file.read_text() == "half"
    assert [path.name for path in file.parent.iterdir()] == ["results.json"]


def test_an_error_leaves_the_earlier_one(tmp_path):
    file = tmp_path / "results.json"
    file.write_text("earlier")

    def interrupted():
        with whole_file(file) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert file.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
