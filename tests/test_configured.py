import runpy
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from blazepose.configured import expand_home, quoted

SCRIPT = """
import numpy as np
from blazepose.configured import script
from blazepose.topology import mirror_index

@script(config_name="demo")
def main(cfg):
    print("weights", cfg.weights, "train", *cfg.data.train)
    if cfg.weights == "own":
        raise ValueError("own.ckpt is empty; train again")
    if cfg.weights == "deep":
        mirror_index(("left_tail",))
    if cfg.weights == "bug":
        np.zeros(3) + np.zeros(4)

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
    """Runs the demo script with overrides; returns exit status, stdout and stderr."""
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


def test_own_errors_are_one_sentence(run):
    status, _, err = run("weights=own")
    assert (status, err) == (1, "own.ckpt is empty; train again\n")
    status, _, err = run("weights=deep")
    assert status == 1
    assert err.startswith("no mirror partner for left_tail")
    assert err.count("\n") == 1


def test_a_bug_keeps_its_traceback(run):
    with pytest.raises(ValueError, match="broadcast"):
        run("weights=bug")


def test_traceback_on_request(run, monkeypatch):
    monkeypatch.setenv("BLAZEPOSE_TRACEBACK", "1")
    with pytest.raises(ValueError, match="train again"):
        run("weights=own")


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("data.trian=[a]", "unknown config key 'data.trian'; did you mean data.train or data.val?"),
        ("zzz=1", "unknown config key 'zzz'; the keys are model, weights, data.train, data.val, model.name"),
        ("modle=full", "unknown config key 'modle'; did you mean model?"),
        ("model=huge", "model=huge is unknown; model is one of full, lite"),
        ("weights", "cannot read 'weights': write key=value"),
        (
            "data.train=[lsp:~/my set]",
            "cannot read 'data.train=[lsp:~/my set]': quote the value, \"data.train=['lsp:~/my set']\"",
        ),
    ],
)
def test_hydra_errors_are_one_sentence(run, override, sentence):
    assert run(override) == (1, "", sentence + "\n")


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("data.train=[lsp:~/my set, coco:b(1)]", ["lsp:~/my set", "coco:b(1)"]),
        ("weights=runs/epoch=3.ckpt", "runs/epoch=3.ckpt"),
        ("weights=it's (1).ckpt", "it's (1).ckpt"),
        ("out=[a", ["a"]),
    ],
)
def test_the_quoted_form_is_read_literally(override, value):
    hint = quoted(override).strip('"')
    assert OverridesParser.create().parse_override(hint).value() == value


def test_home_is_expanded_in_paths_only(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    paths = {"a": "~/x", "b": ["lsp:~/my set:val", "coco:d"], "c": "x~/y", "d": "~me/z", "e": 1}
    expanded = {"a": "/home/me/x", "b": ["lsp:/home/me/my set:val", "coco:d"]}
    assert expand_home(OmegaConf.create(paths)) == paths | expanded
