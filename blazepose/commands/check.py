"""Check what an app gets from a file: `blazepose check my_pose.task`. See docs/guides/exporting.md."""

from blazepose.commands.main import parse
from blazepose.errors import friendly_errors
from blazepose.export.check import check, report


@friendly_errors
def main(arguments: list[str] | None = None) -> None:
    """Print what is in each file, who loads it, and what accelerates it."""
    args = parse("check", arguments)
    for number, path in enumerate(args.files):
        print("\n" * bool(number) + report(check(path.expanduser())), flush=True)


if __name__ == "__main__":
    main()
