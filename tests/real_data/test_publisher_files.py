"""Files as their publishers gave them, each against counts that another reader made."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections import Counter
from contextlib import closing
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
import xlrd

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


def test_the_schedule_of_universal_credit_is_read_as_openpyxl_reads_it(real_data):
    path = real_data / "dwp/ltla_UC_rollout.xlsx"
    rows = read_sheets(path, ["Sheet1"])["Sheet1"]
    sheet = openpyxl.load_workbook(path)["Sheet1"]
    other = [row for row in sheet.iter_rows(values_only=True) if row[0]]
    ours = [row for row in rows if row[0]]
    assert len(ours) == len(other) == 363
    assert [[c or 0 for c in row[:-1]] for row in ours] == [[c or 0 for c in row[:-1]] for row in other]
    assert all(sum(row[1:-1]) == row[-1] for row in ours[1:])  # its last column is a formula


def as_numbers(cells):
    """Cells of another reader as numbers; a text, such as '..' or 'c', is none."""
    return [float(c) if re.match(r"-?\d", str(c)) else np.nan for c in cells]


def held_against(table, column, other):
    """Hold a column against what another reader found: code (and period) to number."""
    labels = table.periods.labels if table.periods else ("",)
    ours = {
        (code, label): value
        for code, row in zip(table.areas.tolist(), table.values[column].tolist(), strict=True)
        for label, value in zip(labels, row, strict=True)
    }
    assert {k: v for k, v in ours.items() if v == v} == {k: v for k, v in other.items() if v == v}  # noqa: PLR0124
    return sum(v != v for v in other.values())  # noqa: PLR0124


def test_vacant_homes_are_those_that_openpyxl_finds(real_data):
    table = read("census_2021_vacant_homes", real_data)
    path = real_data / catalogue()["census_2021_vacant_homes"].files[0].path
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        sheet = book["1c"].iter_rows(values_only=True)
        rows = [r for r in sheet if re.fullmatch(r"[EW]01\d{6}", str(r[0]))]
    assert len(rows) == 35_672
    for column, at, hidden in (("vacant_dwellings", 2, 1_566), ("second_homes", 3, 33_009)):
        other = {(r[0], ""): n for r, n in zip(rows, as_numbers(r[at] for r in rows), strict=True)}
        assert held_against(table, column, other) == hidden


#: Two codes of one district in the sheets of live table 615; the later one is read.
_LATER = {"E07000100": "E07000240", "E07000104": "E07000241", "E07000101": "E07000243"}


def test_live_table_615_is_what_xlrd_finds_sheet_by_sheet(real_data):
    table = read("vacant_dwellings_615", real_data)
    release = catalogue()["vacant_dwellings_615"]
    book = xlrd.open_workbook(real_data / release.files[0].path)
    assert len(release.columns) == 6
    for column in release.columns:
        sheet = book.sheet_by_name(column.published)
        rows = [sheet.row_values(i) for i in range(sheet.nrows)]
        header = next(r for r in rows if "New ONS code" in r)
        code, years = header.index("New ONS code"), [i for i, c in enumerate(header) if isinstance(c, float)]
        other = {
            (_LATER.get(r[code], r[code]), str(int(header[i]))): n
            for r in rows
            if re.fullmatch(r"E0[6-9]\d{6}", str(r[code]))
            for i, n in zip(years, as_numbers(r[i] for i in years), strict=True)
        }
        held_against(table, column.name, other)


def rows_of_ods(path, name):
    """Rows of a sheet of an OpenDocument file, read from its XML."""
    table, office, text = (
        f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("table", "office", "text")
    )
    with zipfile.ZipFile(path) as packed:
        root = ElementTree.fromstring(packed.read("content.xml"))
    (sheet,) = (t for t in root.iter(f"{table}table") if t.get(f"{table}name") == name)
    for row in sheet.iter(f"{table}table-row"):
        cells = []
        for cell in row:
            shown = "".join("".join(p.itertext()) for p in cell.iter(f"{text}p"))
            cells += [cell.get(f"{office}value") or shown] * int(
                cell.get(f"{table}number-columns-repeated", 1)
            )
        yield cells


def test_fly_tipping_is_what_the_xml_of_the_workbook_holds(real_data):
    table = read("fly_tipping", real_data)
    release = catalogue()["fly_tipping"]
    (file,) = release.files
    rows = list(rows_of_ods(real_data / file.path, file.sheet))
    header = next(r for r in rows if file.area in r)
    code, year = header.index(file.area), header.index(file.period)
    bodies = [r for r in rows if len(r) > code and re.fullmatch(r"E0[6-9]\d{6}", r[code])]
    assert table.records[0].rows_kept == len(bodies)
    for column in release.columns:
        at = header.index(column.published)
        found = as_numbers(r[at] for r in bodies)
        other = {(r[code], r[year][:4]): n for r, n in zip(bodies, found, strict=True)}
        held_against(table, column.name, other)


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
    "empty_homes": "this module, and test_published.py against the publisher's own totals",
    "environment": "this module, and test_published.py against the publisher's own totals",
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
