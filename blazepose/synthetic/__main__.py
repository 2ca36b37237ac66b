"""`python -m blazepose.synthetic`: the same as `blazepose synth`."""

from blazepose.commands.main import run

if __name__ == "__main__":
    run("synth")
