"""Files as their publishers gave them, each against counts that Python's csv module made."""

from __future__ import annotations

import csv
import json
from collections import Counter

import numpy as np
import pytest

from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.codes import load_lookup
from areaeffect.sources.police_uk.categories import read_categories
from areaeffect.sources.police_uk.files import find_files
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake
from areaeffect.sources.publishers.layouts import keys_of, layout
from areaeffect.sources.publishers.releases import ReleaseFile, catalogue
from areaeffect.sources.publishers.tables import read
from areaeffect.tables.text_rows import read_sheets
from tests.real_data.national_mirror import V3


def rows_of(path, start=0):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[start:]


def test_version_3_of_the_exact_fit_lookup_is_whole_and_differs_from_the_copy_in_one_pair(real_data):
    path = real_data / "publisher_files/lookups" / V3
    release = catalogue()["lookup_lsoa11_lsoa21"]
    (file,), (copy,) = release.files, release.copies
    header, *rows = rows_of(path)
    n, areas = keys_of(file, path)
    assert n == len(rows) == file.rows == 35_796
    assert len(areas) == release.areas
    new = load_lookup(path, file.area, file.value, file.category)
    old = load_lookup(real_data / copy.path, copy.area, copy.value, copy.category)
    pairs = [set(zip(x.old, x.new, x.change, strict=True)) for x in (old, new)]
    assert pairs[1] - pairs[0] == {("E01027506", "E01035624", "X")}
    assert not pairs[0] - pairs[1]
    change = header.index("CHGIND")
    for kind in "USMX":
        assert (new.change == kind).sum() == sum(row[change] == kind for row in rows)
    assert (new.change == "X").sum() == 10


def test_the_lookup_is_read_under_our_names_too(real_data):
    path = real_data / "publisher_files/lookups" / V3
    assert len(load_lookup(path, "lsoa11_code", "lsoa21_code").old) == 35_796


def test_attributes_of_msoas_are_read_from_the_portals_csv(real_data):
    (path,) = (real_data / "publisher_files/boundaries").glob("Middle*.csv")
    file = ReleaseFile(path=path.name, layout="rows", area="MSOA21CD", name="MSOA21NM")
    frame, n = layout("rows")(file, path)
    assert n == len(rows_of(path)) - 1 == 7_264
    assert frame["area"].nunique() == 7_264
    assert set(frame.loc[frame["area"].str.startswith("E"), "MSOA21NMW"].str.strip()) == {""}


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("tenure-households-lad.csv", "Owned: Owned with a mortgage or loan"),
        ("accommodation-type-lad.csv", "Shared dwelling"),
        ("household-type-lad.csv", "Multi-person household: Other"),
    ],
)
def test_census_tables_of_2011_are_read_as_nomis_gives_them(real_data, name, category):
    path = real_data / "publisher_files/census" / name
    file = ReleaseFile(path=name, layout="census_bulk", area="geography code", name="geography")
    frame, n = layout("census_bulk")(file, path)
    header, *rows = rows_of(path)
    (at,) = (i for i, h in enumerate(header) if h.endswith(f": {category}; measures: Value"))
    assert n == len(rows) == 348
    assert frame[category].astype(int).sum() == sum(int(row[at]) for row in rows)


def test_an_answer_of_nomis_is_read_by_the_names_of_its_categories(real_data):
    path = real_data / "publisher_files/nomis_api/nomis-ts021.csv"
    file = ReleaseFile(
        path=path.name, layout="nomis", area="GEOGRAPHY_CODE", category="C2021_ETH_20_NAME", value="OBS_VALUE"
    )
    frame, n = layout("nomis")(file, path)
    header, *rows = rows_of(path)
    assert n == len(rows) == 19
    assert frame["area"].tolist() == ["E02002330"]
    assert frame["White: Roma"].tolist() == [
        row[header.index("OBS_VALUE")] for row in rows if "White: Roma" in row
    ]


def test_the_headers_of_the_indices_of_2025_are_the_ones_read(real_data, tmp_path):
    headers = (real_data / "publisher_files/imd/iod2025_file7_headers.txt").read_text().splitlines()
    assert len(headers) == 56
    release = catalogue()["imd_2025"]
    assert {c.published for c in release.columns if c.published} <= set(headers)
    path = tmp_path / release.files[0].path
    path.parent.mkdir()
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(headers)
        for i in range(5):
            writer.writerow([f"E0100000{i + 1}", "a", "b", "c", *range(52)])
    table = read("imd_2025", tmp_path, ["children_and_young_people_decile"])
    at = headers.index(release.columns[0].published)
    assert at == 4
    assert table.values["children_and_young_people_decile"].tolist() == [[32.0]] * 5


@pytest.mark.parametrize(
    ("release_id", "column", "start", "known"),
    [
        ("universal_credit_households", "households", 9, ("County Durham 002", "2015-11", 7)),
        ("children_low_income", "children", 0, ("County Durham 002", "2014", 131)),
    ],
)
def test_stat_xplore_exports_are_read_to_the_last_number(real_data, release_id, column, start, known):
    release = catalogue()[release_id]
    (file,) = release.files
    table = read(release_id, real_data)
    header, *rows = rows_of(real_data / file.path, start)
    assert header[0] == file.period
    at = [i for i, h in enumerate(header) if i and h and "Annotations" not in h]
    names = set(read("places_lsoa11", real_data).texts["msoa11_name"].tolist())
    inside = [row for row in rows if len(row) > at[-1] and row[0] in names]
    assert len(inside) == len(table.areas) == 7201
    cells = [row[i] for row in inside for i in at]
    values = table.values[column]
    assert np.nansum(values) == sum(int(c) for c in cells if c != "..")
    hidden = table.reasons[column] == 3
    assert hidden.sum() == cells.count("..")
    assert np.isnan(values[hidden]).all()
    assert not (values == 0).any()
    record = table.records[0]
    outside = [row for row in rows if len(row) > at[-1] and row[0] and row[0] not in names]
    assert record.rows_kept == 7201
    assert record.rows_rejected == len([r for r in outside if r[0].lower() != "total"])
    area = table.names.tolist().index(known[0])
    assert values[area, table.periods.labels.index(known[1])] == known[2]


def test_the_schedule_of_universal_credit_is_a_plain_sheet(real_data):
    rows = read_sheets(real_data / "dwp/ltla_UC_rollout.xlsx", ["Sheet1"])["Sheet1"]
    assert len(rows) - 1 == 362
    assert all(sum(row[1:-1]) == row[-1] for row in rows[1:] if row[0])


POLICE = "publisher_files/police_uk"


def test_street_files_of_four_forces_and_years_are_read_to_the_last_row(real_data, tmp_path):
    """Rows, crime types and rows without an LSOA, force and month by force and month."""
    report = ingest_police_uk([real_data / POLICE], tmp_path)
    held = {r["file"]: r for r in open_lake(tmp_path).manifest() if r["status"] == "current"}
    label = {c.label: c.category for c in read_categories()}
    paths = sorted((real_data / POLICE).rglob("*-street.csv"))
    assert [p.name for p in paths] == sorted(held)
    for path in paths:
        header, *rows = rows_of(path)
        kind, code, row = header.index("Crime type"), header.index("LSOA code"), held[path.name]
        identity = header.index("Crime ID")
        twice = len([r for r in rows if r[identity]]) - len({tuple(r) for r in rows if r[identity]})
        assert (row["rows_read"], row["rows_rejected"]) == (len(rows), twice)
        counted = Counter(label[r[kind]] for r in rows)
        assert sum(row["categories"].values()) == len(rows) - twice
        assert sum((counted - Counter(row["categories"])).values()) == twice
        bare = sum(not r[code] for r in rows)
        assert bare - twice <= row["not_located"] <= bare
    passed = {p.name: p.reason for p in find_files([real_data / POLICE]).passed_over}
    assert report.files_passed_over == len(passed)
    assert passed == {
        "README": "it is not named like a file of data.police.uk",
        "2023-03-city-of-london-outcomes.csv": "it is an outcomes file, not street-level crime",
        "2023-03-city-of-london-stop-and-search.csv": "it is stop and search, not street-level crime",
    }


@pytest.mark.parametrize("vintage", ["lsoa11", "lsoa21"])
def test_outlines_of_hartlepool_are_read_as_they_are_written(real_data, vintage):
    path = real_data / f"publisher_files/boundaries/not_byte_genuine/{vintage}_E06000001.geojson"
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    column = f"{vintage.upper()}CD"
    codes = sorted(f["properties"][column] for f in features)
    found = read_boundaries(path, column, np.array(codes))
    assert len(found.outlines) == len(codes) == {"lsoa11": 58, "lsoa21": 57}[vintage]


#: Who reads each file that came from a publisher; what is about them is left out.
READ_BY = {
    "publisher_files/boundaries": "this module",
    "publisher_files/census": "this module",
    "publisher_files/imd": "this module",
    "publisher_files/lookups": "this module",
    "publisher_files/nomis_api": "this module",
    "publisher_files/police_uk": "this module",
    "dwp": "this module",
    "empty_homes": "test_published.py, against the publisher's own totals and a copy",
    "environment": "test_published.py, against the publisher's own totals",
}


def test_no_file_of_a_publisher_is_passed_over(real_data):
    places = ("publisher_files", "dwp", "empty_homes", "environment")
    files = {
        str(p.relative_to(real_data))
        for place in places
        for p in (real_data / place).rglob("*")
        if p.is_file() and not p.name.startswith("README")
    }
    assert {f for f in files if not f.startswith(tuple(READ_BY))} == set()
    named = {f.path for r in catalogue().values() for f in (*r.files, *r.copies)}
    by_release = {f for f in files if f.startswith(("dwp", "empty_homes", "environment"))}
    assert by_release - named == {
        "dwp/ltla_UC_rollout.xlsx",  # a schedule; no table of areas
        "empty_homes/census_2021_vacant_dwellings_second_homes_lsoa21.parquet",  # of the workbook
    }
