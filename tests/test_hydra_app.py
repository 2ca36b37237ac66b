import re
import runpy
import sys
from pathlib import Path

import hydra
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from blazepose.hydra_app import TEXT_KEYS, as_typed, expand_home

CONFIGS = Path(__file__).parents[1] / "configs"
SCRIPT = """
import signal
from pathlib import Path
import numpy as np
from blazepose.exceptions import InputError
from blazepose.hydra_app import hydra_command
from blazepose.topology import mirror_index

@hydra_command("demo", Path("configs").resolve())
def main(cfg):
    print("weights", cfg.weights, "train", *cfg.data.train)
    if cfg.weights == "own":
        raise InputError("own.ckpt is empty; train again")
    if cfg.weights == "deep":
        mirror_index(("left_tail",))
    if cfg.weights == "bug":
        np.zeros(3) + np.zeros(4)
    if cfg.weights == "full":
        Path("/dev/full").write_text("half")
    if cfg.weights == "ended":
        signal.raise_signal(signal.SIGTERM)

if __name__ == "__main__":
    main()
"""

CONFIG = """
defaults: [_self_, model: lite, override hydra/job_logging: none, override hydra/hydra_logging: none]
hydra: {output_subdir: null, run: {dir: .}}
weights: null
data: {train: [], val: []}
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch, capsys):
    """Return a function that runs the demo script and returns exit status, stdout and stderr."""
    (tmp_path / "demo.py").write_text(SCRIPT)
    (tmp_path / "configs/model").mkdir(parents=True)
    (tmp_path / "configs/demo.yaml").write_text(CONFIG)
    for name in ("lite", "full"):
        (tmp_path / f"configs/model/{name}.yaml").write_text(f"name: {name}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")
    monkeypatch.delenv("BLAZEPOSE_TRACEBACK", raising=False)

    def run(*overrides: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["demo.py", *overrides])
        status = 0
        try:
            runpy.run_path(str(tmp_path / "demo.py"), run_name="__main__")
        except SystemExit as leave:
            status = int(leave.code or 0)
        return status, *capsys.readouterr()

    return run


def test_runs_and_leaves_no_files_behind(run, tmp_path):
    assert run("weights=a.ckpt", "data.train=[x,y]") == (0, "weights a.ckpt train x y\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["configs", "demo.py"]


def test_own_errors_are_one_line(run):
    status, _, err = run("weights=own")
    assert (status, err) == (1, "own.ckpt is empty; train again\n")
    status, _, err = run("weights=deep")
    assert status == 1
    assert err.startswith("no mirror partner for left_tail")
    assert err.count("\n") == 1


def test_ends_are_one_line(run):
    full = "a file cannot be written (No space left on device): free some space\n"
    assert run("weights=full")[::2] == (1, full)
    assert run("weights=ended")[::2] == (143, "ended by SIGTERM: run the command again\n")


def test_a_bug_keeps_its_traceback(run):
    with pytest.raises(ValueError, match="broadcast"):
        run("weights=bug")


def test_traceback_on_request(run, monkeypatch):
    monkeypatch.setenv("BLAZEPOSE_TRACEBACK", "1")
    with pytest.raises(ValueError, match="train again"):
        run("weights=own")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.trian=[a]", "unknown config key 'data.trian'; did you mean data.train or data.val?"),
        ("zzz=1", "unknown config key 'zzz'; `blazepose config` prints all keys"),
        ("modle=full", "unknown config key 'modle'; did you mean model?"),
        ("model=huge", "model=huge is unknown; model is one of full, lite"),
        ("weights", "cannot read 'weights': write key=value"),
        (
            "model.title=[lsp:~/my set]",
            "cannot read 'model.title=[lsp:~/my set]': quote the value, \"model.title=['lsp:~/my set']\"",
        ),
    ],
)
def test_hydra_errors_are_one_line(run, override, message):
    assert run(override) == (1, "", message + "\n")


TYPED = (
    "2024_01_15",
    "1e3",
    "on",
    "off",
    "yes",
    "true",
    "False",
    "007",
    "0o17",
    "1_000",
    "12:30",
    "00:02:00:00",
    "0x10",
    "2024-01-15",
    "nan",
    "inf",
    "-inf",
    ".5",
    "1.",
    "+1",
    "-0",
    "1E5",
    "none",
    "runs/7",
    "it-is.ckpt",
    "~/x",
    "ü",
    "#1",
    "a=b",
    "a(1).ckpt",
    "my set",
    "it's a[1]",
)
"""Names that YAML or Hydra would parse as something else or reject, and ordinary ones."""


@pytest.mark.parametrize("text", TYPED)
def test_names_and_paths_stay_as_they_are_typed(text):
    parse = OverridesParser.create().parse_override
    assert parse(as_typed(f"init={text}")).value() == text
    assert parse(as_typed(f"+data.train=[{text}, lsp:{text} ,{text}]")).value() == [text, f"lsp:{text}", text]
    assert parse(as_typed(as_typed(f"data.train=[{text}]"))).value() == [text], (
        "quoting twice has no effect, as when a process starts others"
    )


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("init=null", None),
        ("init=Null", None),
        ("init='null'", "null"),
        ("init=./null", "./null"),
        ("data.train=[null,a]", ["null", "a"]),
        ("data.train=['1,5',\"2,6\",7, a b]", ["1,5", "2,6", "7", "a b"]),
        (r"data.train=[a\,5,6]", ["a,5", "6"]),
        ("init=${oc.env:HOME}/7", "${oc.env:HOME}/7"),
        ("seed=1_000", 1000),
        ("stages.joint=2", 2),
        ("augmentation.photometric=true", True),
        ("trainer.limit_train_batches=0.5", 0.5),
    ],
)
def test_values_that_are_not_quoted(override, value):
    """Null, quoted and escaped text, interpolations, and numbers of keys that are no names."""
    assert OverridesParser.create().parse_override(as_typed(override)).value() == value


def test_a_script_gets_the_typed_text(run):
    result = run("weights=2024_01_15", "data.train=[1e3,lsp:007,true]", "model=lite")
    assert result == (0, "weights 2024_01_15 train 1e3 lsp:007 true\n", "")
    assert run("weights=null") == (0, "weights None train\n", "")


def test_groups_may_be_named_by_a_date(run, tmp_path):
    (tmp_path / "configs/model/2024_01_15.yaml").write_text("name: dated\n")
    assert run("model=2024_01_15")[0] == 0
    assert run("model=1e3") == (1, "", "model=1e3 is unknown; model is one of 2024_01_15, full, lite\n")


@pytest.mark.parametrize("key", ["weights", "data.train"])
def test_empty_names_are_refused(run, key):
    """As from an unset shell variable."""
    assert run(f"{key}=") == (1, "", f"{key} is empty; give it a value, or leave {key}= out\n")


def test_numbers_in_a_yaml_file_are_named(run, tmp_path):
    (tmp_path / "configs/model/mine.yaml").write_text("# @package _global_\nweights: 2024_01_15\n")
    message = "weights: 20240115 is not text; put it in quotes in its YAML file\n"
    assert run("model=mine") == (1, "", message)


def test_a_config_that_is_no_yaml_is_named(run, tmp_path):
    (tmp_path / "configs/model/mine.yaml").write_text("name: [a\n")
    status, _, err = run("model=mine")
    assert status == 1
    assert re.fullmatch(r"a config cannot be read as YAML: .* expected ',' or ']'.*mine\.yaml.*\n", err)


@pytest.mark.parametrize("text", [*TYPED, "null", "~", "", "a: b", "[a]"])
def test_a_saved_config_keeps_text(tmp_path, text):
    """A resumed run reads its config.yaml."""
    cfg = OmegaConf.create({"init": text, "data": {"train": [text, f"lsp:{text}"]}})
    OmegaConf.save(cfg, tmp_path / "config.yaml", resolve=True)
    assert OmegaConf.load(tmp_path / "config.yaml") == cfg


NUMBERS = {"num_threads", "loader.num_workers", "trainer.devices"}
LIGHTNINGS = ("trainer.accelerator", "trainer.strategy", "trainer.precision", "trainer.max_time")


@pytest.mark.parametrize("config", ["train", "eval"])
def test_every_key_that_may_be_text_is_declared(config):
    """A new key with text, a list or null as default is a name or a path, or is added to these."""
    with hydra.initialize_config_dir(version_base="1.3", config_dir=str(CONFIGS)):
        leaves = dict(_leaves(OmegaConf.to_container(hydra.compose(config)), ""))
    others = NUMBERS | {f"trainer.limit_{split}_batches" for split in ("train", "val")} | {*LIGHTNINGS}
    text = {key for key, default in leaves.items() if default is None or isinstance(default, str | list)}
    assert text - others <= TEXT_KEYS
    assert not (leaves.keys() - text) & TEXT_KEYS


def _leaves(node: dict, path: str):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def test_home_is_expanded_in_paths_only(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    paths = {"a": "~/x", "b": ["lsp:~/my set:val", "coco:d"], "c": "x~/y", "d": "~me/z", "e": 1}
    expanded = {"a": "/home/me/x", "b": ["lsp:/home/me/my set:val", "coco:d"]}
    assert expand_home(OmegaConf.create(paths)) == paths | expanded
