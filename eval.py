"""The same as `blazepose eval`."""

from blazepose.commands.main import run

if __name__ == "__main__":
    run("eval")
