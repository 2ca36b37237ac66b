import subprocess
import sys
from argparse import ArgumentParser
from typing import get_args

import hydra
import pytest
from omegaconf import OmegaConf

from blazepose import __version__
from blazepose.commands.arguments import ARGUMENTS
from blazepose.commands.main import COMMANDS, main, parse
from blazepose.evaluation.predict import CROPS
from blazepose.export.export_module import Precision
from blazepose.export.google_weights import LANDMARK_NETWORKS
from blazepose.export.targets import TARGETS
from blazepose.hydra_app import CONFIGS
from blazepose.runtime.tracker_options import TrackerOptions

HEAVY = {"torch", "hydra", "pytorch_lightning", "cv2", "matplotlib", "scipy"}
LOADED = f"import atexit; atexit.register(lambda: print(sorted({HEAVY} & set(sys.modules))))"
"""Code that prints the heavy packages that were loaded, at the end."""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def blazepose(*arguments: str, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """Run the console command in a process of its own, after some code."""
    words = ["blazepose", *arguments]
    return python(
        f"import sys; {before}; sys.argv = {words}\nfrom blazepose.commands.main import main; main()"
    )


def test_the_overview_lists_every_command(monkeypatch, capsys):
    for arguments in ([], ["--help"], ["-h"]):
        monkeypatch.setattr(sys, "argv", ["blazepose", *arguments])
        main()
        printed = capsys.readouterr().out
        assert all(
            f"  {name} " in printed and command.summary in printed for name, command in COMMANDS.items()
        )


def test_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["blazepose", "--version"])
    main()
    assert capsys.readouterr().out.strip() == __version__


def test_unknown_commands_get_the_list(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["blazepose", "trian"])
    with pytest.raises(SystemExit, match="unknown command 'trian'; the commands are train, eval, "):
        main()


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_words_and_an_example_and_loads_nothing(name):
    done = blazepose(name, "--help", before=LOADED)
    assert not done.returncode, done.stderr
    assert done.stdout.startswith(f"usage: blazepose {name} ")
    assert all(line in done.stdout for line in COMMANDS[name].example.splitlines())
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["train", "eval"])
def test_keys_of_the_help_exist(name):
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose(name)
    for key, _ in COMMANDS[name].keys:
        key = key.partition("=")[0]
        known = OmegaConf.select(config, key, default="?") != "?"
        assert known or (CONFIGS / key).is_dir(), key


def test_every_command_has_keys_or_flags():
    assert {name for name, command in COMMANDS.items() if not command.keys} == set(ARGUMENTS)


def test_errors_of_usage_load_nothing():
    done = blazepose("compare", "before.task", before=LOADED)
    assert (done.returncode, done.stdout) == (2, "[]\n")
    assert "the following arguments are required: after" in done.stderr


@pytest.mark.parametrize(
    ("command", "argument", "choices"),
    [
        ("compare", "roi", CROPS),
        ("export", "precision", get_args(Precision)),
        ("weights", "model", LANDMARK_NETWORKS),
    ],
)
def test_choices_are_those_of_the_code(command, argument, choices):
    parser = ArgumentParser()
    ARGUMENTS[command](parser)
    (action,) = (action for action in parser._actions if action.dest == argument)
    assert tuple(action.choices) == tuple(choices)


def test_defaults_of_tracking_are_those_of_the_tracker():
    defaults = vars(parse("track", ["video.mp4", "--weights", "pose.task"]))
    for name in ("num_poses", "min_pose_detection_confidence", "min_pose_presence_confidence"):
        assert defaults[name] == getattr(TrackerOptions(), name)


def test_the_help_of_export_names_every_format():
    assert (
        f" {', '.join(list(TARGETS)[:-1])} or {list(TARGETS)[-1]}\n" in blazepose("export", "--help").stdout
    )


def test_a_missing_package_names_the_extra():
    done = blazepose("train", before="sys.modules['hydra'] = None")
    assert done.returncode == 1
    assert done.stderr == (
        'blazepose train needs hydra, which is not installed: pip install "blazepose[train]"\n'
    )
