import csv
from collections import Counter
from pathlib import Path

import pytest

from blazepose.evaluation.groups import un_regions as regions
from blazepose.evaluation.groups.un_regions import CARD_REGIONS, canonical_region, region_of


@pytest.mark.parametrize(
    ("country", "region"),
    [
        ("Germany", "Europe"),
        ("USA", "Northern America"),
        ("us", "Northern America"),
        ("Côte d'Ivoire", "Western Africa"),
        ("cote d ivoire", "Western Africa"),
        ("Bolivia, Plurinational State of", "South America"),
        ("The Gambia", "Western Africa"),
        ("Türkiye", "Western Asia"),
        ("KOR", "Eastern Asia"),
        ("Taiwan", "Eastern Asia"),
        ("Mexico", "Central America"),
        ("Fiji", "Melanesia"),
    ],
)
def test_countries_by_names_and_codes(country, region):
    assert region_of(country) == region


def test_misspelled_countries_get_a_hint():
    with pytest.raises(ValueError, match="unknown country 'Germnay'; did you mean Germany"):
        region_of("Germnay")
    with pytest.raises(ValueError, match=r"unknown country 'Atlantis'; see \S+/data/README.md#groups"):
        region_of("Atlantis")


def test_regions_by_their_names():
    assert (
        canonical_region("south-eastern asia") == canonical_region("Southeastern Asia") == "Southeastern Asia"
    )
    with pytest.raises(ValueError, match="unknown region 'Southern Afrika'; did you mean Southern Africa"):
        canonical_region("Southern Afrika")


def test_the_regions_are_those_of_the_cards_table(card_rows):
    rows = [row["group"] for row in card_rows if row["attribute"] == "region"]
    assert sorted(rows) == sorted(CARD_REGIONS)
    assert [canonical_region(name) for name in rows] == rows


@pytest.mark.parametrize(
    ("name", "region"), [("Europe (excluding EU)", "Europe"), ("Southern America", "South America")]
)
def test_the_cards_alternative_names_of_two_regions(name, region):
    assert canonical_region(name) == region


def test_every_country_once_and_every_region_of_the_card():
    table = regions._table()
    names = Counter(
        regions._normalize(name)
        for row in table
        for name in set(map(regions._normalize, regions._names(row)))
    )
    assert not [name for name, count in names.items() if count > 1]
    assert len(table) == 250
    assert {row["region"] for row in table} >= set(CARD_REGIONS)
    outside = Counter(row["region"] for row in table if row["region"] not in CARD_REGIONS)
    assert outside == {
        "Eastern Africa": 22,
        "Western Africa": 17,
        "Melanesia": 5,
        "Micronesia": 8,
        "Polynesia": 10,
        "Antarctica": 1,
    }


@pytest.mark.shared
def test_the_table_is_that_of_the_united_nations(shared: Path):
    """Except for the documented exceptions: Europe, Taiwan, Antarctica, Kosovo."""
    ours = {row["alpha2"]: row for row in regions._table()}
    with (shared / "data/regions/all.csv").open(encoding="utf-8", newline="") as lines:
        theirs = {row["alpha-2"]: row for row in csv.DictReader(lines)}
    assert set(ours) - set(theirs) == {"XK"}
    assert not set(theirs) - set(ours)
    for code, row in theirs.items():
        assert ours[code]["alpha3"] == row["alpha-3"]
        assert region_of(row["name"]) == ours[code]["region"]
        united = row["intermediate-region"] or row["sub-region"]
        if row["region"] == "Europe":
            united = "Europe"
        if united:
            assert ours[code]["region"] == united.replace("South-eastern", "Southeastern"), code
