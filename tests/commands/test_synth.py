"""The command `blazepose synth`."""

import signal

import cv2
import pytest

from blazepose.commands.synth import main


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of the command."""
    status = 0
    try:
        main(list(arguments))
    except SystemExit as leave:
        status = leave.code if isinstance(leave.code, int) else 1
        if isinstance(leave.code, str):
            return status, capsys.readouterr().out, leave.code
    return status, *capsys.readouterr()


def test_renders_and_prints_the_next_step(tmp_path, capsys):
    folder, sheet = tmp_path / "set", tmp_path / "sheet.png"
    options = ["--num", "2", "--size", "64", "--workers", "1", "--preview", str(sheet), "--out", str(folder)]
    status, out, _ = run(capsys, *options)
    assert status == 0
    assert out.splitlines()[-1] == (
        f'train on them with "data.train=[synthetic:{folder}]" "data.negatives=[{folder}/train/negatives]"'
    )
    assert not (folder / "val").exists()  # a tenth of two
    assert cv2.imread(str(sheet)).shape == (256, 8 * 256, 3)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--num", "0"),
        ("--num", "-3"),
        ("--num", "many"),
        ("--val", "-1"),
        ("--seed", "1.5"),
        ("--size", "63"),
        ("--size", "2049"),
        ("--workers", "0"),
    ],
)
def test_numbers_out_of_range_are_rejected(tmp_path, capsys, option, value):
    options = {"--num": "2", "--out": str(tmp_path / "set")} | {option: value}
    status, _, err = run(capsys, *[f"{name}={text}" for name, text in options.items()])
    assert status == 2
    assert f"argument {option}: {value} is not a number from" in err
    assert not (tmp_path / "set").exists()


def test_num_and_out_are_required(capsys):
    status, _, err = run(capsys)
    assert status == 2
    assert "--num, --out" in err


def test_errors_are_one_line(tmp_path, capsys):
    out = str(tmp_path / "set")
    status, _, err = run(capsys, "--num", "2", "--out", out, "--families", "sqat=2")
    assert status == 1
    assert err.startswith("unknown pose family 'sqat'; the families are ")
    assert err.count("\n") == 1
    (tmp_path / "set").write_text("")
    assert run(capsys, "--num", "2", "--out", out)[2] == f"{out} is a file; choose a folder\n"


@pytest.mark.parametrize(("kind", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_an_interrupt_prints_how_to_resume(tmp_path, capsys, monkeypatch, kind, name):
    monkeypatch.setattr(
        "blazepose.synthetic.dataset.render_set.announce_first_use", lambda: signal.raise_signal(kind)
    )
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status, _, err = run(capsys, "--num", "2", "--out", str(tmp_path / "set"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert status == 128 + kind
    assert err == f"ended by {name}: the same command resumes {tmp_path / 'set'}\n"
