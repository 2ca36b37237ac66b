"""Countries and the regions of MediaPipe's model card.

The regions are the sub-regions of the United Nations' geoscheme (M49), Europe's four merged into one. Taiwan,
which M49 does not list, is put where it lies; Kosovo likewise.
"""

import csv
import difflib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

CARD_REGIONS = (
    "Australia and New Zealand",
    "Caribbean",
    "Central America",
    "Central Asia",
    "Eastern Asia",
    "Europe",
    "Middle Africa",
    "Northern Africa",
    "Northern America",
    "South America",
    "Southeastern Asia",
    "Southern Africa",
    "Southern Asia",
    "Western Asia",
)
"""The 14 of the card's table; it has no figures of Eastern and Western Africa and of the Pacific islands."""

_OTHER_NAMES = {
    "Europe (excluding EU)": "Europe",
    "Southern America": "South America",
    "South-eastern Asia": "Southeastern Asia",
}
"""The first two are in the card's list of groups, the third is the United Nations' spelling."""

_COUNTRIES = Path(__file__).with_name("countries.csv")


@cache
def region_of(country: str) -> str:
    """Region of a country by its name, or by its two or three letters in ISO 3166.

    Raises:
        ValueError: if there is no such country; the message says which are spelt alike.
    """
    return _look_up(country, {name: row["region"] for row in _table() for name in _names(row)}, "country")


@cache
def known_region(name: str) -> str:
    """A region as the table spells it.

    Raises:
        ValueError: if there is no such region; the message says which are spelt alike.
    """
    spelt = {row["region"]: row["region"] for row in _table()}
    return _look_up(name, spelt | _OTHER_NAMES, "region")


def _look_up(name: str, regions: Mapping[str, str], kind: str) -> str:
    spelt = {_plain(known): known for known in regions}
    turned = " ".join(reversed(name.split(",")))  # Bolivia, Plurinational State of
    if known := spelt.get(_plain(name)) or spelt.get(_plain(turned)):
        return regions[known]
    close = [spelt[key] for key in difflib.get_close_matches(_plain(name), spelt, cutoff=0.7)]
    hint = f"did you mean {' or '.join(close)}?" if close else "see data/README.md#groups"
    raise ValueError(f"{name!r} is no {kind}; {hint}")


@cache
def _table() -> list[dict[str, str]]:
    with _COUNTRIES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _names(row: Mapping[str, str]) -> list[str]:
    return [name for name in (row["country"], row["alpha2"], row["alpha3"], *row["also"].split("|")) if name]


def _plain(name: str) -> str:
    """Without case, accents and marks: Côte d'Ivoire is cote d ivoire."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    words = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(word for word in words.split() if word != "the")
