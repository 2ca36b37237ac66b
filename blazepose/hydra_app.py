"""Scripts configured by Hydra: their configs, and one-line messages for Hydra's errors."""

import dataclasses
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Sweep
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from blazepose.config.option import describe_unknown
from blazepose.errors import exit_with, friendly_errors
from blazepose.exceptions import InputError
from blazepose.quoting import quote_value, quoted

T = TypeVar("T")

_HOME = re.compile(r"(^|:)~(?=/|$)")
"""A `~` at the start of a path: the whole value, or the part after `reader:`."""

_GROUPS = ("data", "experiment", "model", "trainer")
_DATA = tuple(f"data.{key}" for key in ("metadata", "negatives", "test", "train", "unlabelled", "val"))
_MODEL = ("model.name", "model.topology", "model.wiring")
_NAMES = ("decode", "engine", "intersect", "landmarks", *_MODEL, "name", "roi", "torso")
_PATHS = ("annotators", "ckpt", "compare", "detector", "init", "out", "predictions", "teacher", "weights")
TEXT_KEYS = frozenset((*_GROUPS, *_DATA, *_NAMES, *_PATHS))
"""Keys of names and paths: their values are text, even if they look like numbers: 2024_01_15, 1e3, true."""

_ITEM = re.compile(r"""\s*(?:'(?:\\.|[^'])*'|"(?:\\.|[^"])*")\s*(?=,|$)|(?:\\.|[^\\,])+""")
"""Item of a list: quoted text, or the text between commas."""


CONFIGS = Path(__file__).with_name("configs")
"""Folder of the configs, which travels with the package."""


def hydra_command(
    config_name: str, configs: Path = CONFIGS
) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    """Decorate `main(cfg)` to be a command configured by `<configs>/<config_name>.yaml`.

    Errors, including Hydra's, become messages as in `friendly_errors`. `~` is expanded in every value. Values
    of TEXT_KEYS stay as typed.
    """

    def decorate(task: Callable[[DictConfig], None]) -> Callable[[], None]:
        run_task, check = friendly_errors(task), friendly_errors(_require_text)

        @functools.wraps(task)
        def run(cfg: DictConfig) -> None:
            check(cfg)
            run_task(expand_home(cfg))

        def command() -> None:
            os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra raises its errors instead of printing them
            sys.argv[1:] = map(as_typed, sys.argv[1:])
            try:
                hydra.main(version_base="1.3", config_path=str(configs), config_name=config_name)(run)()
            except HydraException as error:
                exit_with(error, _explain(error, configs, config_name))
            except YAMLError as error:
                exit_with(error, f"a config cannot be read as YAML: {' '.join(str(error).split())}")

        return friendly_errors(command)

    return decorate


def from_config(kind: type[T], cfg: DictConfig, section: str | None = None) -> T:
    """Convert a section of the config, or its top-level keys, to a dataclass.

    Raises:
        ValueError: if a value is of another type; the message names its key.
    """
    if section:
        values = OmegaConf.select(cfg, section)
    else:
        names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
        values = {name: cfg[name] for name in names if name in cfg}  # resolved, unlike by masked_copy
    try:
        return cast(T, OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values)))
    except OmegaConfBaseException as error:
        key = ".".join(filter(None, [section, error.full_key]))
        reason = str(error).splitlines()[0]
        raise InputError(f"{key}: {reason}; `blazepose config {key}` explains it") from error


def is_overridden(key: str) -> bool:
    """Return whether the command line sets this key."""
    return key in _typed_keys()


def drop_preset_people(data: DictConfig, is_given: Callable[[str], bool]) -> None:
    """Empty the default preset's `data.val` and `data.negatives`, which belong to its training people.

    Args:
        data: section `data` of a training; only changed if other training people are given.
        is_given: whether a key is given, `data` for another preset.
    """
    if is_given("data.train") and not is_given("data"):
        for key in ("val", "negatives"):
            if not is_given(f"data.{key}"):
                data[key] = []


def reject_overrides(sections: Sequence[str], reason: str) -> None:
    """Reject keys on the command line that have no effect.

    Args:
        sections: sections of the config, or keys in them.
        reason: reason for the message.

    Raises:
        ValueError: if there is such a key; the message names the first.
    """
    for key in _typed_keys():
        if any(key == section or key.startswith(f"{section}.") for section in sections):
            raise InputError(f"{key}: {reason}")


def _typed_keys() -> list[str]:
    return [item.lstrip("+~").split("=")[0] for item in HydraConfig.get().overrides.task]


def as_typed(override: str) -> str:
    """Quote the value of a key in TEXT_KEYS if Hydra would not parse it as that text.

    `key=null` is unchanged: the key has no value.
    """
    key, _, value = override.partition("=")
    value = value.strip()
    if key.lstrip("+") not in TEXT_KEYS or not value or value.lower() == "null":
        return override
    if value.startswith("[") and value.endswith("]"):
        return f"{key}=[{_ITEM.sub(lambda item: _as_text(item[0]), value[1:-1])}]"
    return f"{key}={_as_text(value)}"


def _as_text(value: str) -> str:
    try:
        parsed = OverridesParser.create().parse_override(f"key={value}").value()
    except HydraException:
        parsed = None
    return value if isinstance(parsed, str | Sweep) else quote_value(value.strip())


def _require_text(cfg: DictConfig) -> None:
    """Reject empty names and paths, and those that are numbers in a YAML file.

    Raises:
        ValueError: if there is one; the message has the key and the value.
    """
    for key in sorted(TEXT_KEYS):
        value = OmegaConf.select(cfg, key)
        for item in value if isinstance(value, ListConfig) else [value]:
            if item == "":
                raise InputError(f"{key} is empty; give it a value, or leave {key}= out")
            if not isinstance(item, str | DictConfig | None):
                raise InputError(f"{key}: {item!r} is not text; put it in quotes in its YAML file")


def expand_home(cfg: DictConfig) -> DictConfig:
    """Replace `~` in the config by the home folder, also in `reader:~/path`."""

    def expand(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: expand(item) for key, item in value.items()}
        if isinstance(value, list):
            return [expand(item) for item in value]
        home = str(Path.home())
        return _HOME.sub(lambda match: match[1] + home, value) if isinstance(value, str) else value

    expanded = OmegaConf.create(expand(OmegaConf.to_container(cfg)))
    OmegaConf.set_struct(expanded, True)
    return expanded


def _explain(error: HydraException, configs: Path, config_name: str) -> str:
    if isinstance(error, OverrideParseException):
        if "=" not in error.override:
            return f"cannot read {error.override!r}: write key=value"
        return f"cannot read {error.override!r}: quote the value, {quoted(error.override)}"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file and error.options:
        group, _, name = error.missing_cfg_file.rpartition("/")
        return f"{group}={name} is unknown; {group} is one of {', '.join(error.options)}"
    text = " ".join(str(error).split())
    unknown = re.match(r"Could not override '([^']+)'", text)
    if unknown:
        return describe_unknown(unknown[1], list(_keys(configs, config_name)))
    return text


def _keys(configs: Path, config_name: str) -> Iterator[str]:
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(configs)):
        cfg = hydra.compose(config_name, return_hydra_config=True)
    yield from (group for group in cfg.hydra.runtime.choices if not group.startswith("hydra/"))
    content: Any = OmegaConf.to_container(cfg)
    yield from _leaves({key: node for key, node in content.items() if key != "hydra"}, "")


def _leaves(node: Any, path: str) -> Iterator[str]:
    if isinstance(node, dict) and node:
        for key, child in node.items():
            yield from _leaves(child, f"{path}.{key}" if path else key)
    else:
        yield path
