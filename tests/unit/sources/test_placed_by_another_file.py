"""Releases whose rows another file places: sales by postcode, casualties by collision."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import REASONS
from areaeffect.sources.publishers import large_files
from areaeffect.sources.publishers.download import check_file
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.sources.publishers.tables import read

ONSPD = (
    "pcd7,pcd8,pcds,dointr,doterm,lad26cd,lsoa11cd,lsoa21cd,lat,long\n"
    '"TS1 1AA","TS1  1AA","TS1 1AA","198001","","E06000002","E01012001","E01033001",54.5,-1.2\n'
    '"TS1 1AB","TS1  1AB","TS1 1AB","198001","201406","E06000002","E01012001","E01033001",54,-1\n'
    '"TS1 1AD","TS1  1AD","TS1 1AD","198001","","E06000002","E01012002","E01033002",54.5,-1.2\n'
    '"BT1 1AA","BT1  1AA","BT1 1AA","198001","","N09000003","","",99.999999,0\n'
)


def zipped(text, name="Data/ONSPD_AUG_2026_UK.csv"):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("Documents/LSOA names.csv", "code,name\n")
        out.writestr("Data/multi_csv/ONSPD_AUG_2026_UK_TS.csv", text)
        out.writestr(name, text)
    return made.getvalue()


@pytest.fixture(autouse=True)
def _fresh():
    large_files.placed_postcodes.cache_clear()


@pytest.fixture
def put(tmp_path):
    """Put a file of a release where it belongs."""

    def write(release_id, content, n=0):
        path = tmp_path / catalogue()[release_id].files[n].path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def sale(day, postcode, price=100_000, kind="T", category="A"):
    words = (
        *("{ID}", price, f"{day} 00:00", postcode, kind, "N", "F", "1", "", "A STREET", ""),
        *("MIDDLESBROUGH", "MIDDLESBROUGH", "MIDDLESBROUGH", category, "A"),
    )
    return ",".join(f'"{w}"' for w in words) + "\n"


@pytest.fixture
def sales(put, monkeypatch):
    """Give `house_sales` two years of sales and a directory of postcodes."""
    release = catalogue()["house_sales"]
    short = replace(release, files=release.files[:2])
    monkeypatch.setitem(catalogue(), "house_sales", short)
    put("postcodes", zipped(ONSPD))
    put(
        "house_sales",
        sale("2010-01-05", "TS1 1AA", 90_000)
        + sale("2010-01-20", "TS1 1AB", 110_000)  # the postcode has ended since
        + sale("2010-01-20", "TS1 1AA", 1, category="B")  # a repossession
        + sale("2010-02-20", "TS1 1AA", 9_000_000, kind="O")  # a shop
        + sale("2010-03-20", "")
        + sale("2010-12-20", "ts11ad", 50_000),
    )
    put("house_sales", sale("2011-01-05", "TS1 1AD", 70_000), 1)
    return short


def test_sales_are_placed_by_postcode_and_counted_by_month(sales, tmp_path):
    table = read("house_sales", tmp_path)
    assert table.areas.tolist() == ["E01033001", "E01033002"]
    assert table.periods.labels[0] == "2010-01"
    assert table.periods.labels[-1] == "2011-01"
    assert table.values["sales"].sum(axis=0).tolist() == [2, *[0] * 10, 1, 1]
    median = table.values["median_price_gbp"]
    assert median[0, 0] == 100_000
    assert median[1, -2:].tolist() == [50_000, 70_000]
    assert np.isnan(median).sum() == 2 * 13 - 3
    assert {REASONS[i] for i in table.reasons["median_price_gbp"].ravel()} == {"", "not_published"}
    first, second = table.records
    assert (first.rows_read, first.rows_kept, first.rows_rejected) == (6, 3, 3)
    assert (second.rows_read, second.rows_rejected) == (1, 0)


def test_sales_without_a_directory_say_how_to_get_it(sales, tmp_path):
    (tmp_path / "postcodes/ONSPD.zip").unlink()
    with pytest.raises(DataError, match="release 'postcodes' is not here") as caught:
        read("house_sales", tmp_path)
    assert "areaeffect fetch postcodes" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (sale("2011-01-05", "TS1 1AA"), "1 of 1 rows have a day that is not of 2010"),
        (sale("2010-01-05", "TS1 1AA", "?"), "a price that is no price"),
        (sale("05/01/2010", "TS1 1AA"), "a day that is no day"),
        (sale("2010-01-05", "TS1 1AA", kind="X"), "a class of property or sale that is not known"),
        ("price,date\n1,2\n", "not sixteen columns"),
        ("", "holds no sales"),
    ],
)
def test_another_layout_of_sales_is_refused(put, row, what):
    release = catalogue()["house_sales"]
    path = put("house_sales", row)
    with pytest.raises(DataError, match=what):
        check_file(release, release.files[0], path, "pp-2010.csv")


COLLISIONS = (
    "collision_index,date,collision_severity,lsoa_of_accident_location\n"
    "A,03/01/2015,3,E01000001\nB,30/01/2015,1,E01000001\nC,01/03/2015,2,E01000002\n"
    "D,01/03/2015,3,-1\n"
)
CASUALTIES = (
    "collision_index,casualty_severity,lsoa_of_casualty\n"
    "A,3,E01000009\nA,3,-1\nB,1,E01000009\nB,2,E01000009\nC,2,-1\nD,3,E01000009\n"
)


def test_casualties_are_counted_where_and_when_their_collision_was(put, tmp_path):
    put("road_collisions", COLLISIONS)
    put("road_casualties", CASUALTIES)
    table = read("road_casualties", tmp_path)
    assert table.areas.tolist() == ["E01000001", "E01000002"]
    assert table.values["casualties"].tolist() == [[4, 0, 0], [0, 0, 1]]
    assert table.values["killed"].tolist() == [[1, 0, 0], [0, 0, 0]]
    assert table.values["seriously_hurt"].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert table.values["slightly_hurt"].tolist() == [[2, 0, 0], [0, 0, 0]]
    assert (table.records[0].rows_read, table.records[0].rows_rejected) == (6, 1)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",1,E01000009", ",4,E01000009", "a severity is not 1, 2 or 3"),
        ("casualty_severity", "severity", "no column 'casualty_severity'.*'severity'"),
    ],
)
def test_casualties_laid_out_otherwise_are_refused_when_they_arrive(put, old, new, what):
    release = catalogue()["road_casualties"]
    path = put("road_casualties", CASUALTIES.replace(old, new))
    with pytest.raises(DataError, match=what):
        check_file(release, release.files[0], path, "casualties")


def test_collisions_by_other_names_are_refused_with_those_they_have(put, tmp_path):
    put("road_collisions", COLLISIONS.replace("collision_severity", "accident_severity"))
    with pytest.raises(DataError, match=r"no column 'collision_severity'.*'accident_severity'"):
        read("road_collisions", tmp_path)


# ---------------------------------------------------------------- the directory of postcodes


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("lsoa21cd", "lsoa31cd"), "has no column 'lsoa21cd' or 'lsoa21'"),
        (("pcds", "postal"), "has no column 'pcds' or 'pcd'"),
        ((',54.5,-1.2\n"BT1', '\n"BT1'), "cannot be read"),
    ],
)
def test_a_directory_laid_out_otherwise_is_refused(put, change, what):
    path = put("postcodes", zipped(ONSPD.replace(*change)))
    with pytest.raises(DataError, match=what):
        large_files.placed_postcodes(path)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (zipped(ONSPD, "Data/other.csv"), "no single directory of postcodes"),
        (zipped(ONSPD)[:-400], "not a zip file"),  # cut short
    ],
)
def test_a_zip_without_the_directory_is_refused(put, content, what):
    with pytest.raises(DataError, match=what):
        large_files.placed_postcodes(put("postcodes", content))


@pytest.mark.parametrize(
    ("header", "name"), [("pcd", "Data/ONSPD_FEB_2025_UK.csv"), ("pcds", "Data/NSPL21_AUG_2024_UK.csv")]
)
def test_earlier_editions_and_the_national_lookup_are_read(put, header, name):
    text = ONSPD.replace("pcds,", f"{header},").replace("lsoa21cd", "lsoa21")
    found = large_files.placed_postcodes(put("postcodes", zipped(text, name)))
    assert found["postcode"].tolist() == ["TS11AA", "TS11AB", "TS11AD"]
    assert found["area"].tolist() == ["E01033001", "E01033001", "E01033002"]


def test_a_directory_that_arrives_is_checked_by_its_rows_and_lsoas(put):
    release = catalogue()["postcodes"]
    with pytest.raises(DataError, match="another edition of 'postcodes': 4 rows"):
        check_file(release, release.files[0], put("postcodes", zipped(ONSPD)), "ONSPD.zip")
