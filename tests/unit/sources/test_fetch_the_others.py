"""Every release that a command gets and `england` has not: address, way and reader on the mirror.

Each file is small and in its publisher's layout; how many rows and areas are on record is set to
what it has, and its hash, where it has one, to nothing. All else is as shipped.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest

from areaeffect.commands import fetch as command
from areaeffect.sources.publishers import large_files
from areaeffect.sources.publishers.releases import By, catalogue, sets
from areaeffect.sources.publishers.tables import read
from tests.shared import publisher_mirror
from tests.shared.publisher_mirror import Item, Service
from tests.shared.spreadsheets import ods

SQUARE = [[[0, 50], [0.1, 50], [0.1, 50.1], [0, 50.1], [0, 50]]]
SHAPE = {"type": "Polygon", "coordinates": SQUARE}
BANDS = [
    f"{sex}{band}" for sex in "FM" for band in ("0 to 15", "16 to 29", "30 to 44", "45 to 64", "65 and over")
]
ESTIMATES = [
    ["About"],
    ["LAD 2023 Code", "LAD 2023 Name", "LSOA 2021 Code", "LSOA 2021 Name", "Total", *BANDS],
    ["E06000001", "Hartlepool", "E01000001", "Hartlepool 009A", 100, *[10] * 10],
]
PRICES = [["LSOA code", "LSOA name", "Year ending Dec 1995"], ["E01000001", "Hartlepool", 34000]]
RANKS = [
    ["Ranks"],
    [
        *("LSOA code", "LSOA name (Eng)", "WIMD 2025", "Income", "Employment", "Health"),
        *("Education", "Access to Services", "Housing", "Community Safety"),
        "Physical Environment",
    ],
    ["W01000003", "Aberffraw", *range(1, 10)],
]
SALE = '"{ID}","100000","%d-01-05 00:00","TS1 1AA","T","N","F","1","","A","","B","C","D","A","A"\n'


def zipped(name, content):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr(name, content)
    return made.getvalue()


#: What each publisher gives: a file, a table of Nomis, or a service of the portal; and a column,
#: with its value in the first area and period.
GIVEN = {
    "claimant_count": (
        [["GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "DATE", "OBS_VALUE"], ["E01000001", "A", "2013-01", 5]],
        ("claimants", 5),
    ),
    "business_counts": (
        [["GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "DATE_NAME", "OBS_VALUE"], ["E02000001", "A", 2010, 15]],
        ("enterprises", 15),
    ),
    "fly_tipping_total": (
        b"title\nYear,ONS Code,Total Incidents\n2012-13,E06000001,5\n",
        ("total_incidents", 5),
    ),
    "boundaries_lsoa11_simplified": (Service([{"LSOA11CD": "E01000001"}], [SHAPE]), ()),
    "boundaries_lsoa21_simplified": (Service([{"LSOA21CD": "E01000001"}], [SHAPE]), ()),
    "ward_lsoa11": (
        b"LSOA11CD,LSOA11NM,WD20CD,WD20NM,LAD20CD,LAD20NM\nE01000001,A,E05000001,W,E06000001,H\n",
        ("ward20_code", "E05000001"),
    ),
    "rural_urban_lsoa11": (
        b"LSOA11CD,LSOA11NM,RUC11CD,RUC11\nE01000001,A,A1,Urban major conurbation\n",
        ("ruc11_code", "A1"),
    ),
    "house_prices": (zipped("HPSSA 46.ods", ods({"1a": PRICES})), ("median_price_gbp", 34000)),
    "house_sales": (SALE, ("sales", 1)),
    "wimd_2025": (ods({"WIMD_2025_ranks": RANKS}), ("community_safety_rank", 8)),
    "mental_health_index": (
        b"lsoa11,samhi_index.2011,samhi_dec.2011\nE01000001,-0.5,2\n",
        ("mental_health_index", -0.5),
    ),
    "population_broad_age": (
        ods({f"Mid-{year} LSOA 2021": ESTIMATES for year in (2022, 2023, 2024)}),
        ("residents", 100),
    ),
    "postcodes": (zipped("Data/ONSPD_AUG_2026_UK.csv", "pcds,doterm,lsoa21cd\nTS1 1AA,,E01000001\n"), ()),
    "road_collisions": (
        b"collision_index,date,collision_severity,lsoa_of_accident_location\nA,03/01/2015,1,E01000001\n",
        ("fatal", 1),
    ),
    "road_casualties": (b"collision_index,casualty_severity\nA,1\nA,3\n", ("casualties", 2)),
}


def test_every_release_that_a_command_gets_is_proven_against_the_mirror():
    """`england` has a test of its own, with the real country."""
    fetched = {r.id for r in catalogue().values() if r.is_fetched}
    assert fetched == {*sets()["england"], *GIVEN}


@pytest.mark.parametrize("name", list(sets()))
def test_every_release_of_a_set_has_a_command_and_a_file_once(name, tmp_path):
    found = command.plan([name], tmp_path)
    assert not found.by_hand
    wanted = {tmp_path / file.path for one in sets()[name] for file in catalogue()[one].files}
    assert {j.path for j in found.jobs} == wanted
    assert len(found.jobs) == len(found.missing) == len(wanted)


@pytest.fixture
def mirror(monkeypatch):
    large_files.placed_postcodes.cache_clear()
    with publisher_mirror.running() as server:
        monkeypatch.setenv("AREAEFFECT_MIRROR", server.base)
        yield server


def offer(mirror, monkeypatch, release_id):
    """Put a release where its publisher has it, and expect as many rows as there are."""
    release, (given, _) = catalogue()[release_id], GIVEN[release_id]
    files = [
        replace(
            f,
            rows=0,
            path=f.path.replace(".xlsx", ".ods"),  # what this test can write
            origin=replace(f.origin, sha256="", match=f.origin.match.replace(".xlsx", ".ods")),
        )
        for f in release.files[:2]
    ]
    short = replace(release, areas=1, files=tuple(files), grows=True)
    monkeypatch.setitem(catalogue(), release_id, short)
    for file in files:
        origin = file.origin
        if isinstance(given, Service):
            mirror.services[origin.service] = given
        elif origin.by is By.NOMIS:
            mirror.nomis[origin.address.rpartition("/")[2].partition(".")[0]] = given
        elif origin.by is By.HUB:
            mirror.items[origin.item] = Item(given)
        elif origin.by is By.ONS:
            dataset = origin.address.removeprefix("https://www.ons.gov.uk")
            name = file.path.rpartition("/")[2]
            stem, _, ending = name.rpartition(".")
            name = name if ending == "zip" else f"{stem}20222024.{ending}"
            mirror.ons(dataset, "newest", name, given)
        elif origin.by is By.GOVUK:
            address = origin.address or "https://assets.publishing.service.gov.uk/media/1/x.csv"
            name = "Local_authority_flytipping_incidents_2012-13_to_2024-25.csv"
            address = address.rpartition("/")[0] + f"/{name}"
            mirror.put(address, given)
            mirror.govuk(origin.page, {"Incidents": address})
        else:
            content = given
            if isinstance(given, str):
                content = (given % int(file.path[-8:-4])).encode()
            mirror.put(origin.address, content)


@pytest.mark.parametrize("release_id", list(GIVEN))
def test_a_release_is_fetched_checked_and_read(release_id, mirror, monkeypatch, tmp_path):
    needed = catalogue()[release_id].placed_by
    for one in filter(None, (needed, release_id)):
        offer(mirror, monkeypatch, one)
    report = command.fetch(command.plan([release_id], tmp_path), lambda *_: None)
    assert {f.name for f in report.files} == {*filter(None, [needed]), release_id}
    assert all(f.asked and f.path.is_file() for f in report.files)
    again = command.fetch(command.plan([release_id], tmp_path), lambda *_: None)
    assert not any(f.asked for f in again.files)
    if said := GIVEN[release_id][1]:
        column, value = said
        table = read(release_id, tmp_path)
        found = table.texts[column][0] if column in table.texts else table.values[column][0, 0]
        assert found == value
