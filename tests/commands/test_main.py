import subprocess
import sys

import hydra
import pytest
from omegaconf import OmegaConf

from blazepose import __version__
from blazepose.commands.main import COMMANDS, main
from blazepose.hydra_app import CONFIGS

HEAVY = {"torch", "hydra", "pytorch_lightning", "cv2", "matplotlib", "scipy"}


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


@pytest.mark.parametrize("name", ["train", "eval"])
def test_help_of_hydra_commands_has_words_and_loads_nothing(name):
    loaded = f"import atexit; atexit.register(lambda: print(sorted({HEAVY} & set(sys.modules))))"
    done = blazepose(name, "--help", before=loaded)
    assert not done.returncode, done.stderr
    assert COMMANDS[name].example in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["train", "eval"])
def test_keys_of_the_help_exist(name):
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = hydra.compose(name)
    for key, _ in COMMANDS[name].keys:
        key = key.partition("=")[0]
        known = OmegaConf.select(config, key, default="?") != "?"
        assert known or (CONFIGS / key).is_dir(), key


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not command.keys])
def test_help_of_the_other_commands(name):
    done = blazepose(name, "--help")
    assert not done.returncode, done.stderr
    assert done.stdout.startswith("usage: ")


def test_a_missing_package_names_the_extra():
    done = blazepose("train", before="sys.modules['hydra'] = None")
    assert done.returncode == 1
    assert done.stderr == (
        'blazepose train needs hydra, which is not installed: pip install "blazepose[train]"\n'
    )
