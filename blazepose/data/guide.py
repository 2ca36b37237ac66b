"""The guide to data sets: data/README.md, which the wheel has beside this module."""

from pathlib import Path

GUIDE = Path(__file__).with_name("README.md")


def guide_section(heading: str) -> str:
    """Return the path of the guide with one of its headings, for a message."""
    return f"{GUIDE}#{heading}"
