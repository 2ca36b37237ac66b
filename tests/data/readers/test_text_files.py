"""Text in all Unicode encodings, and files called JSON that are something else."""

import bz2
import codecs
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path

import pytest

from blazepose.data.readers.text_files import read_json, read_text

TEXT = json.dumps({"images": [{"id": 1, "file_name": "Übung 小明.jpg"}]}, ensure_ascii=False)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
    ],
)
def test_every_unicode_encoding(tmp_path, data):
    (tmp_path / "a.json").write_bytes(data)
    assert read_json(tmp_path / "a.json", "coco") == json.loads(TEXT)
    assert read_text(tmp_path / "a.json") == TEXT


@pytest.mark.parametrize(
    ("encoding", "text", "place"),
    [("gbk", "{'小明'}", "byte 4 is 0xc3"), ("cp1252", '["Übung"]', "byte 2 is 0xdc")],
)
def test_other_encodings_are_refused(tmp_path, encoding, text, place):
    (tmp_path / "a.json").write_bytes(text.encode(encoding))
    with pytest.raises(
        ValueError, match=rf"a\.json is not UTF-8: {place}; save it as UTF-8 .*, or convert it: iconv"
    ):
        read_json(tmp_path / "a.json", "coco")


def zipped(name: str = "result.json") -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr(name, TEXT)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty: copy or export it again"),
        (b" \r\n", "is empty"),
        (zipped(), "is a zip archive, or an Excel workbook: unpack it"),
        (gzip.compress(TEXT.encode(), mtime=0), "is compressed with gzip: unpack it with zcat FILE > NEW"),
        (bz2.compress(TEXT.encode()), "is compressed with bzip2"),
        (lzma.compress(TEXT.encode()), "is compressed with xz"),
        (b"Rar!\x1a\x07\x01\x00", "is a RAR archive"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
            "is a Git LFS pointer, not",
        ),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is not text, or is cut off: 'utf-8' codec"),
        (TEXT.encode("utf-16")[:-1], "is not text, or is cut off: .* truncated data"),
        (b"\n<!DOCTYPE html><html>", r"is a web page or XML, not JSON \(Expecting value"),
        (b'<?xml version="1.0"?>', "is a web page or XML, not JSON"),
        (
            b'{"id": 1}\n{"id": 2}\n',
            r"is JSON Lines, or several .* \(Extra data: line 2 column 1 \(char 10\)\)",
        ),
        (
            b'{"images": [{"id": 1',
            r"is cut off: copy or export it again \(Expecting ',' delimiter: line 1 column",
        ),
        (b'{"images": [{"id": 1}, ', "is cut off"),
        (b'{"images": [{"file_na', r"is cut off: .* \(Unterminated string"),
        (
            b'{"images": 1} x',
            r"is not JSON \(Extra data: line 1 column 15 \(char 14\)\); see \S+/data/README\.md#coco$",
        ),
        (b"image,person\n", r"is not JSON \(Expecting value: line 1 column 1"),
    ],
)
def test_files_that_are_not_json_are_identified(tmp_path, data, sentence):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(ValueError, match=rf"a\.json {sentence}") as error:
        read_json(tmp_path / "a.json", "coco")
    assert "\n" not in str(error.value)


def test_an_unreadable_file(tmp_path, monkeypatch):
    def refuse(path):  # root may read everything
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ValueError, match=r"a\.csv cannot be read: Permission denied$"):
        read_text(tmp_path / "a.csv")
