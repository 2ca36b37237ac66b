import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from blazepose.quoting import quoted


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("data.train=[lsp:~/my set, coco:b(1)]", ["lsp:~/my set", "coco:b(1)"]),
        ("weights=runs/epoch=3.ckpt", "runs/epoch=3.ckpt"),
        ("weights=it's (1).ckpt", "it's (1).ckpt"),
        ("out=[a", ["a"]),
    ],
)
def test_the_quoted_form_is_parsed_literally(override, value):
    hint = quoted(override).strip('"')
    assert OverridesParser.create().parse_override(hint).value() == value
