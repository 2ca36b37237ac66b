"""Conversion from torch to TFLite by litert-torch."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from blazepose.exceptions import MissingPackageError, install_command
from blazepose.input_spec import InputSpec
from blazepose.native_messages import hide_harmless_messages
from blazepose.tflite.metadata import (
    NORMALIZATION_KEY,
    normalization,
    normalization_metadata,
    with_metadata,
)


def to_tflite(
    net: nn.Module,
    spec: InputSpec,
    metadata: Mapping[str, bytes] | None = None,
    store: Callable[[bytes], bytes] | None = None,
) -> bytes:
    """Convert a module to a TFLite file with MediaPipe's metadata of the input normalization.

    Args:
        net: module with an input of images (1, size, size, 3).
        spec: size and value range of the images.
        metadata: entries to store in the file beside the normalization.
        store: returns the file with its weights in another precision; None leaves float32.

    Raises:
        ImportError: if litert-torch is missing; the message names the extra to install.
    """
    try:
        with hide_harmless_messages():
            import litert_torch
    except ImportError as error:
        raise MissingPackageError(f"TFLite files need litert-torch: {install_command('export')}") from error

    with hide_harmless_messages(), quiet(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.tflite"
        _pad_channels_last()
        litert_torch.convert(net.eval(), (torch.zeros(1, spec.size, spec.size, 3),)).export(str(path))
        content = path.read_bytes()
    if store:
        content = store(content)
    entry = normalization_metadata(normalization(spec))
    return with_metadata(content, {**(metadata or {}), NORMALIZATION_KEY: entry})


def _pad_channels_last() -> None:
    """Teach the converter to pad in the layout of TFLite.

    It knows no rule for constant padding, so it transposes around each, and around the additions behind it:
    61 times in heavy, where Google's file has none.
    """
    from litert_torch._convert.fx_passes.optimize_layout_transposes_pass import layout_rewrite

    def rewrite(node: torch.fx.Node) -> None:
        image, padding, *value = node.args
        assert isinstance(padding, Sequence)
        columns, rows, channels = (list(padding[k : k + 2]) or [0, 0] for k in (0, 2, 4))
        node.args = (image, [*channels, *columns, *rows], *value)

    layout_rewrite.rewriters.register(torch.ops.aten.constant_pad_nd.default)(rewrite)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence the converters' own output; their errors still come as exceptions."""
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.setLevel(level)
