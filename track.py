"""The same as `blazepose track`."""

from blazepose.commands.main import run

if __name__ == "__main__":
    run("track")
