import re

import pytest

from blazepose.data.guide import GUIDE, guide_section

HEADINGS = set(re.findall(r"^#+ (.+)$", GUIDE.read_text(), re.MULTILINE))


@pytest.mark.parametrize(
    "heading", ["landmarks", "lsp", "coco", "coco_wholebody", "halpe", "mpii", "synthetic", "groups"]
)
def test_messages_name_headings_of_the_guide(heading):
    assert guide_section(heading).endswith(f"blazepose/data/README.md#{heading}")
    assert heading in {title.strip("`").lower() for title in HEADINGS}
