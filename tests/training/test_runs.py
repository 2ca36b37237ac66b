"""Run folders that are created and resumed."""

import pytest
from omegaconf import OmegaConf

from blazepose.training.runs import open_run, resume_run
from tests.test_runs import make_run


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"seed: [0",
            r"config\.yaml cannot be read as YAML: .* expected ',' or ']'.* line 1, .*; correct it$",
        ),
        (b"seed: \xff", r"config\.yaml cannot be read as YAML: .*; correct it$"),
        (b"", r"config\.yaml is empty: .* or init=\S+last\.ckpt starts a new run from these weights$"),
    ],
)
def test_a_damaged_config_is_named(tmp_path, monkeypatch, content, sentence):
    folder = make_run(tmp_path, "a", age=1)
    (folder / "config.yaml").write_bytes(content)
    monkeypatch.setattr("blazepose.training.checkpoint.read_checkpoint", lambda *arguments, **options: None)
    monkeypatch.setattr("blazepose.training.runs.HydraConfig", FakeHydra)
    with pytest.raises(ValueError, match=sentence):
        resume_run(OmegaConf.create({"ckpt": str(folder)}))


class FakeHydra:
    @staticmethod
    def get():
        return OmegaConf.create({"overrides": {"task": ["ckpt=a"]}})


@pytest.mark.parametrize("name", ["squats/v2", "lr=3", "two words", ""])
def test_names_that_would_hide_a_run_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="the name of a run must not be empty or have spaces"):
        open_run(tmp_path, name, OmegaConf.create())
    assert not list(tmp_path.iterdir())
