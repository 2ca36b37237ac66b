"""The same as `blazepose export`."""

from blazepose.commands.main import run

if __name__ == "__main__":
    run("export")
