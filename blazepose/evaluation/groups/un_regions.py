"""Countries and the regions of MediaPipe's model card.

The regions are the sub-regions of the United Nations' geoscheme (M49), with Europe's four merged into one.
Taiwan and Kosovo, which M49 does not list, are assigned by geography.
"""

import csv
import difflib
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from blazepose.data.guide import guide_section
from blazepose.exceptions import InputError

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
"""The 14 regions of the card's table, which lacks Eastern and Western Africa and the Pacific islands."""

_OTHER_NAMES = {
    "Europe (excluding EU)": "Europe",
    "Southern America": "South America",
    "South-eastern Asia": "Southeastern Asia",
}
"""Other spellings: the first two from the card's list of groups, the third from the United Nations."""

_COUNTRIES = Path(__file__).with_name("countries.csv")


@cache
def region_of(country: str) -> str:
    """Return the region of a country, given its name or ISO 3166 code of two or three letters.

    Raises:
        ValueError: if there is no such country; the message suggests similar names.
    """
    return _look_up(country, {name: row["region"] for row in _table() for name in _names(row)}, "country")


@cache
def canonical_region(name: str) -> str:
    """Return a region in the spelling of the table.

    Raises:
        ValueError: if there is no such region; the message suggests similar names.
    """
    regions = {row["region"]: row["region"] for row in _table()}
    return _look_up(name, regions | _OTHER_NAMES, "region")


def _look_up(name: str, regions: Mapping[str, str], kind: str) -> str:
    names = {_normalize(candidate): candidate for candidate in regions}
    reordered = " ".join(reversed(name.split(",")))  # Bolivia, Plurinational State of
    if match := names.get(_normalize(name)) or names.get(_normalize(reordered)):
        return regions[match]
    close = [names[key] for key in difflib.get_close_matches(_normalize(name), names, cutoff=0.7)]
    hint = f"did you mean {' or '.join(close)}?" if close else f"see {guide_section('groups')}"
    raise InputError(f"unknown {kind} {name!r}; {hint}")


@cache
def _table() -> list[dict[str, str]]:
    with _COUNTRIES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _names(row: Mapping[str, str]) -> list[str]:
    return [name for name in (row["country"], row["alpha2"], row["alpha3"], *row["also"].split("|")) if name]


def _normalize(name: str) -> str:
    """Remove case, accents and punctuation: Côte d'Ivoire becomes cote d ivoire."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    words = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return " ".join(word for word in words.split() if word != "the")
