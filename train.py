"""The same as `blazepose train`."""

from blazepose.commands.main import run

if __name__ == "__main__":
    run("train")
