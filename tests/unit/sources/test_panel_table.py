"""A user's own table: whatever its encoding and layout, the same numbers or one clear message."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from areaeffect.errors import AreaEffectError, DataError
from areaeffect.panel import REASONS
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.panel_table import read
from areaeffect.sources.publishers.releases import catalogue
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window

WINDOW = Window(start="2012-01", end="2012-12")
LONG = """\
area_code,area_name,month,n,population
A1,Abbey,2012-01,3,1500
A1,Abbey,2012-02,0,1500
B2,Bridge,2012-01,7,1200
B2,Bridge,2012-02,5,1200
"""
VALUES = [[3.0, 0.0], [7.0, 5.0]]


def read_table(
    path: Path,
    *,
    window: Window = WINDOW,
    wanted: tuple[MeasureRequest, ...] = (MeasureRequest("n"),),
    attributes: tuple[str, ...] = (),
    **source: Any,
) -> SourceTable:
    fields = {"kind": "panel", "path": path.name, "area": "area_code", "period": "month"} | source
    return read("crime", PanelSource(**fields), path, window, wanted, attributes)


def write(folder: Path, text: str | bytes, name: str = "crime.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems_of(folder: Path, text: str | bytes, **source: Any) -> list[str]:
    """Each problem of a CSV, without the folder in front of it."""
    return problems_in(write(folder, text), **source)


def problems_in(path: Path, **source: Any) -> list[str]:
    with pytest.raises(AreaEffectError) as caught:
        read_table(path, **source)
    assert caught.value.exit_code == DataError.exit_code == 3
    return [str(p).removeprefix(f"{path.parent}/") for p in caught.value.problems]


def only_measure(table: SourceTable) -> np.ndarray:
    (values,) = table.measures.values()
    return values


# ---------------------------------------------------------------- the same numbers, however stored


def test_a_long_table_is_read_as_areas_by_periods(tmp_path: Path) -> None:
    path = write(tmp_path, LONG)
    table = read_table(path, name="area_name", attributes=("population",))
    assert table.areas.tolist() == ["A1", "B2"]
    assert table.names.tolist() == ["Abbey", "Bridge"]
    assert table.periods is not None
    assert table.periods.labels == ("2012-01", "2012-02")
    np.testing.assert_array_equal(only_measure(table), VALUES)
    np.testing.assert_array_equal(table.attributes["population"], [1500.0, 1200.0])
    assert table.notes == ()


def test_the_release_says_which_file_was_read(tmp_path: Path) -> None:
    release = read_table(write(tmp_path, LONG), licence="OGL", attribution="Police").release
    assert release.sha256 == hashlib.sha256(LONG.encode()).hexdigest()
    assert (release.source, release.file, release.rows_read) == ("crime", "crime.csv", 4)
    assert release.rows_kept + release.rows_rejected == release.rows_read
    assert (release.licence, release.attribution) == ("OGL", "Police")


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    header, *rows = LONG.splitlines(keepends=True)
    turned = read_table(write(tmp_path, header + "".join(reversed(rows))), name="area_name")
    assert turned.areas.tolist() == ["A1", "B2"]
    assert turned.names.tolist() == ["Abbey", "Bridge"]
    np.testing.assert_array_equal(only_measure(turned), VALUES)


def wide_csv(folder: Path) -> tuple[Path, dict[str, Any]]:
    text = "area_code,2012-01,2012-02\nB2,7,5\nA1,3,0\n"
    return write(folder, text), {"layout": "wide", "period": None, "wanted": (MeasureRequest("value"),)}


def wide_parquet(folder: Path) -> tuple[Path, dict[str, Any]]:
    path, options = wide_csv(folder)
    pd.read_csv(path).to_parquet(folder / "crime.parquet")
    return folder / "crime.parquet", options


def long_parquet(folder: Path) -> tuple[Path, dict[str, Any]]:
    pd.read_csv(write(folder, LONG)).to_parquet(folder / "crime.parquet")
    return folder / "crime.parquet", {}


def parquet_with_dates(folder: Path) -> tuple[Path, dict[str, Any]]:
    frame = pd.read_csv(write(folder, LONG))
    frame.assign(month=pd.to_datetime(frame["month"])).to_parquet(folder / "crime.parquet")
    return folder / "crime.parquet", {}


@pytest.mark.parametrize("store", [wide_csv, wide_parquet, long_parquet, parquet_with_dates])
def test_long_and_wide_csv_and_parquet_give_the_same_numbers(tmp_path: Path, store: Any) -> None:
    path, options = store(tmp_path)
    table = read_table(path, **options)
    assert table.areas.tolist() == ["A1", "B2"]
    assert table.periods is not None
    assert table.periods.labels == ("2012-01", "2012-02")
    np.testing.assert_array_equal(only_measure(table), VALUES)


@pytest.mark.parametrize(
    ("raw", "notes"),
    [
        (b"\xef\xbb\xbf" + LONG.encode(), ()),
        (LONG.replace(",", ";").encode(), ()),
        (LONG.replace(",", "\t").encode(), ()),
        (LONG.replace("\n", "\r\n").encode(), ()),
        (LONG.rstrip("\n").encode(), ()),
        (LONG.replace("2012-01", "2012-01-01").encode(), ()),
        (LONG.encode("utf-16"), ("crime.csv is UTF-16; it was read as such.",)),
        (
            LONG.replace("Abbey", "Abbaye Sacré-Cœur").encode("cp1252"),
            ("crime.csv is not UTF-8; it was read as Windows-1252.",),
        ),
        (LONG.replace("Abbey", '"Abbey, the ""old"" one"').encode(), ()),
        (LONG.replace("A1,", " A1 ,").encode(), ()),
    ],
    ids=[
        "byte order mark",
        "semicolons",
        "tabs",
        "CRLF",
        "no last line feed",
        "days",
        "UTF-16",
        "Windows-1252",
        "quoted commas",
        "blanks around codes",
    ],
)
def test_the_way_a_csv_is_written_changes_no_number(
    tmp_path: Path, raw: bytes, notes: tuple[str, ...]
) -> None:
    table = read_table(write(tmp_path, raw), name="area_name")
    assert table.areas.tolist() == ["A1", "B2"]
    np.testing.assert_array_equal(only_measure(table), VALUES)
    assert table.notes == notes


def test_names_keep_their_accents_and_commas(tmp_path: Path) -> None:
    accents = LONG.replace("Abbey", "Sacré-Cœur").encode("cp1252")
    assert read_table(write(tmp_path, accents), name="area_name").names[0] == "Sacré-Cœur"
    commas = LONG.replace("Abbey", '"Abbey, the ""old"" one"')
    assert read_table(write(tmp_path, commas), name="area_name").names[0] == 'Abbey, the "old" one'


def test_codes_that_look_like_numbers_keep_their_zeros(tmp_path: Path) -> None:
    text = LONG.replace("A1", "007").replace("B2", "12")
    assert read_table(write(tmp_path, text)).areas.tolist() == ["007", "12"]


# ---------------------------------------------------------------- absence is not zero


def test_an_absent_row_is_missing_not_zero(tmp_path: Path) -> None:
    text = LONG.replace("B2,Bridge,2012-02,5,1200\n", "")
    np.testing.assert_array_equal(only_measure(read_table(write(tmp_path, text))), [[3, 0], [7, np.nan]])


def test_an_absent_row_of_an_event_table_is_zero_where_the_study_says_so(tmp_path: Path) -> None:
    text = LONG.replace("B2,Bridge,2012-02,5,1200\n", "")
    table = read_table(write(tmp_path, text), absent_is_zero=True)
    np.testing.assert_array_equal(only_measure(table), [[3, 0], [7, 0]])


@pytest.mark.parametrize("absent_is_zero", [False, True])
def test_a_blank_value_is_missing(tmp_path: Path, absent_is_zero: bool) -> None:
    text = LONG.replace("2012-02,5", "2012-02,")
    table = read_table(write(tmp_path, text), absent_is_zero=absent_is_zero)
    np.testing.assert_array_equal(only_measure(table), [[3, 0], [7, np.nan]])


def test_a_null_of_parquet_is_missing(tmp_path: Path) -> None:
    frame = pd.read_csv(write(tmp_path, LONG.replace("2012-02,5", "2012-02,")))
    frame.to_parquet(tmp_path / "crime.parquet")
    values = only_measure(read_table(tmp_path / "crime.parquet"))
    np.testing.assert_array_equal(values, [[3, 0], [7, np.nan]])


def test_a_period_that_nobody_has_is_missing_for_all(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, LONG.replace("2012-02", "2012-03")))
    assert table.periods is not None
    assert table.periods.labels == ("2012-01", "2012-02", "2012-03")
    np.testing.assert_array_equal(only_measure(table), [[3, np.nan, 0], [7, np.nan, 5]])


def test_an_area_without_a_row_in_the_window_takes_nothing_from_another(tmp_path: Path) -> None:
    text = LONG + "C3,Castle,2011-12,9,800\n"
    table = read_table(write(tmp_path, text), name="area_name", attributes=("population",))
    assert table.areas.tolist() == ["A1", "B2", "C3"]
    assert np.isnan(only_measure(table)[2]).all()
    assert table.names[2] != "Abbey"
    assert table.attributes["population"][2] != 1500.0


# ---------------------------------------------------------------- categories and `where`

EVENTS = """\
area_code,month,crime_type,n
A1,2012-01,Arson,1
A1,2012-01,Graffiti,2
A1,2012-01,Theft,40
B2,2012-01,Arson,5
B2,2012-01,Graffiti,6
"""
DAMAGE = MeasureRequest("n", ("Arson", "Graffiti"))


def test_categories_are_added_up(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, EVENTS), wanted=(DAMAGE,), category="crime_type")
    np.testing.assert_array_equal(only_measure(table), [[3], [11]])


def test_two_outcomes_may_pick_from_one_table(tmp_path: Path) -> None:
    theft = MeasureRequest("n", ("Theft",))
    table = read_table(write(tmp_path, EVENTS), wanted=(DAMAGE, theft), category="crime_type")
    np.testing.assert_array_equal(table.measures[theft], [[40], [np.nan]])


def test_a_sum_with_an_absent_category_is_missing_not_lower(tmp_path: Path) -> None:
    text = EVENTS.replace("B2,2012-01,Graffiti,6\n", "")
    table = read_table(write(tmp_path, text), wanted=(DAMAGE,), category="crime_type")
    np.testing.assert_array_equal(only_measure(table), [[3], [np.nan]])


def test_a_sum_with_a_blank_category_is_missing_not_lower(tmp_path: Path) -> None:
    text = EVENTS.replace("Graffiti,6", "Graffiti,")
    for absent_is_zero in (False, True):
        table = read_table(
            write(tmp_path, text), wanted=(DAMAGE,), category="crime_type", absent_is_zero=absent_is_zero
        )
        np.testing.assert_array_equal(only_measure(table), [[3], [np.nan]])


def test_an_event_table_may_list_a_cell_in_parts(tmp_path: Path) -> None:
    table = read_table(
        write(tmp_path, EVENTS + "B2,2012-01,Arson,1\n"),
        wanted=(DAMAGE,),
        category="crime_type",
        absent_is_zero=True,
    )
    np.testing.assert_array_equal(only_measure(table), [[3], [12]])


def test_a_category_that_the_table_does_not_hold_is_refused(tmp_path: Path) -> None:
    wanted = (MeasureRequest("n", ("Arsons", "Fraud")),)
    assert [
        p.removeprefix(f"{tmp_path}/")
        for p in problems_of(tmp_path, EVENTS, wanted=wanted, category="crime_type")
    ] == [
        "crime.csv: no row has 'Arsons' in 'crime_type'. Did you mean 'Arson'?",
        "crime.csv: no row has 'Fraud' in 'crime_type'. It holds: Arson, Graffiti, Theft.",
    ]


def test_categories_need_their_column_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path, EVENTS, wanted=(DAMAGE,)) == [
        "crime.csv: outcomes pick categories, but `category` is not set."
    ]


def test_where_keeps_the_rows_with_a_value(tmp_path: Path) -> None:
    path = write(tmp_path, EVENTS)
    table = read_table(path, where={"crime_type": "Arson"})
    np.testing.assert_array_equal(only_measure(table), [[1], [5]])
    pd.read_csv(path).to_parquet(tmp_path / "crime.parquet")
    table = read_table(tmp_path / "crime.parquet", where={"n": "40"})
    np.testing.assert_array_equal(only_measure(table), [[40]])


def test_where_that_keeps_nothing_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, EVENTS, where={"crime_type": "Fraud"}) == [
        "crime.csv, `where`: no row has 'Fraud' in 'crime_type'. It holds: Arson, Graffiti, Theft."
    ]


# ---------------------------------------------------------------- attributes


def test_an_attribute_that_changes_over_time_is_kept_by_period(tmp_path: Path) -> None:
    text = LONG.replace("2012-02,5,1200", "2012-02,5,1300")
    table = read_table(write(tmp_path, text), attributes=("population",))
    assert "population" not in table.attributes
    np.testing.assert_array_equal(table.varying["population"], [[1500, 1500], [1200, 1300]])


def test_an_attribute_with_a_word_in_it_is_text(tmp_path: Path) -> None:
    text = LONG.replace(",1200", ",unknown")
    table = read_table(write(tmp_path, text), attributes=("population",))
    assert table.attributes["population"].tolist() == ["1500", "unknown"]


def test_a_table_without_periods_has_one_row_an_area(tmp_path: Path) -> None:
    text = "area_code,population\nB2,1200\nA1,\n"
    table = read_table(write(tmp_path, text), wanted=(), attributes=("population",), period=None)
    assert table.periods is None
    assert table.areas.tolist() == ["A1", "B2"]
    np.testing.assert_array_equal(table.attributes["population"], [np.nan, 1200])


def test_a_table_without_periods_may_not_repeat_an_area(tmp_path: Path) -> None:
    text = "area_code,population\nA1,1200\nB2,1\nA1,1300\n"
    assert problems_of(tmp_path, text, wanted=(), period=None) == [
        "crime.csv, row 4: 1 row repeats the area_code of an earlier one, such as A1. "
        "Keep one row each, or add them up."
    ]


# ---------------------------------------------------------------- what is refused


def test_a_file_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, LONG)
    assert problems_in(tmp_path / "crimes.csv") == [
        "crimes.csv: there is no such file. Did you mean 'crime.csv'?"
    ]
    assert problems_in(tmp_path / "zzz.parquet") == ["zzz.parquet: there is no such file. Check the path."]


@pytest.mark.parametrize("text", ["", "\n", "  \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    assert problems_of(tmp_path, text) == ["crime.csv: the file is empty. It needs a header and rows."]


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "area_code,month,n\n") == ["crime.csv: the file has a header but no rows."]


def test_a_nul_byte_is_named_by_its_line(tmp_path: Path) -> None:
    text = LONG.replace("2012-01,7", "2012-01,\x007")
    assert problems_of(tmp_path, text) == [
        "crime.csv, line 4: there is a NUL byte. It may be UTF-16 without its mark, or be cut: "
        "save it again as UTF-8."
    ]


def test_a_byte_of_no_known_encoding_is_named_by_its_line(tmp_path: Path) -> None:
    raw = LONG.encode().replace(b"Bridge,2012-01", b"Br\x81dge,2012-01")
    assert problems_of(tmp_path, raw) == [
        "crime.csv, line 4: neither UTF-8 nor Windows-1252. Save it as UTF-8."
    ]


def test_a_torn_utf_16_file_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, LONG.encode("utf-16")[:-1])
    assert problem.startswith("crime.csv")
    assert problem.endswith("Save it as UTF-8.")


@pytest.mark.parametrize(("row", "found"), [("B2,Bridge,2012-01", 3), ("B2,Bridge,2012-01,7,1200,?", 6)])
def test_a_row_with_too_few_or_too_many_fields_is_named_by_its_line(
    tmp_path: Path, row: str, found: int
) -> None:
    (problem,) = problems_of(tmp_path, LONG.replace("B2,Bridge,2012-01,7,1200", row))
    assert problem.startswith("crime.csv, line 4: ")
    assert f"Found: {found}" in problem
    assert problem.endswith("Every row needs 5 fields.")


def test_several_broken_rows_are_all_shown(tmp_path: Path) -> None:
    found = problems_of(tmp_path, LONG.replace(",1500", ""))
    assert [p.partition(": ")[0] for p in found] == ["crime.csv, line 2", "crime.csv, line 3"]


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, LONG.replace("area_name", "n")) == [
        "crime.csv, line 1: the header has column 'n' more than once. Rename one."
    ]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_missing_column_is_answered_with_the_nearest(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path, LONG)
    if suffix == "parquet":
        pd.read_csv(path).to_parquet(tmp_path / "crime.parquet")
    path = tmp_path / f"crime.{suffix}"
    assert problems_in(path, area="area_cod", wanted=(MeasureRequest("incidents"),)) == [
        f"crime.{suffix}: there is no column 'area_cod'. Did you mean 'area_code'?",
        f"crime.{suffix}: there is no column 'incidents'. "
        "Columns: area_code, area_name, month, n, population.",
    ]


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (problem,) = problems_in(write(tmp_path, LONG, "crime.parquet"))
    assert problem.startswith("crime.parquet: not a readable Parquet file: ")


def test_a_row_without_an_area_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, LONG.replace("B2,Bridge,2012-02", " ,Bridge,2012-02")) == [
        "crime.csv, row 5: 'area_code' is blank. Give every row one. Headings and totals without a code: "
        'leave_out = [""].'
    ]


def test_a_duplicate_area_period_is_refused(tmp_path: Path) -> None:
    text = LONG + "B2,Bridge,2012-01,7,1200\nA1,Abbey,2012-01,3,1500\n"
    (problem,) = problems_of(tmp_path, text)
    assert problem == (
        "crime.csv, row 6, 7: 2 rows repeat the area_code and month of an earlier one, such as "
        "B2 2012-01. "
        "Keep one row each, or add them up."
    )


def test_the_same_month_written_in_two_ways_is_a_duplicate_too(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, LONG + "B2,Bridge,2012-01-01,7,1200\n")
    assert problem.startswith("crime.csv, row 6: 1 row repeats the area_code and month of an ")


def test_a_duplicate_category_is_refused_unless_the_table_lists_events(tmp_path: Path) -> None:
    text = EVENTS + "B2,2012-01,Arson,1\n"
    (problem,) = problems_of(tmp_path, text, wanted=(DAMAGE,), category="crime_type")
    assert problem.startswith("crime.csv, row 7: 1 row repeats the area_code and month and ")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-7", "'-7' in 'n' is a negative count. Counts are 0 or more."),
        ("7.5", "'7.5' in 'n' is not a whole number. Set kind = \"score\" for means."),
        (
            "7.500",
            "'7.500' in 'n' is not a whole number. It may be 7500: take separators of thousands out. "
            'Set kind = "score" for means.',
        ),
        ("seven", "'seven' in 'n' is not a number. Leave a missing value blank."),
        ("nan", "'nan' in 'n' is not a number. Leave a missing value blank."),
        ("inf", "'inf' in 'n' is infinite. Leave a missing value blank."),
        ('"12,34"', "'12,34' in 'n' is not a number. Write decimals with a point."),
    ],
)
def test_a_count_that_is_none_is_refused_with_its_row(tmp_path: Path, value: str, message: str) -> None:
    assert problems_of(tmp_path, LONG.replace("2012-01,7", f"2012-01,{value}")) == [
        f"crime.csv, row 4: {message}"
    ]


def test_a_wide_table_names_the_row_of_the_file(tmp_path: Path) -> None:
    text = "area_code,2012-01,2012-02\nA1,3,0\nB2,7,-5\n"
    options = {"layout": "wide", "period": None, "wanted": (MeasureRequest("value"),)}
    assert problems_of(tmp_path, text, **options) == [
        "crime.csv, row 3: '-5' in 'value' is a negative count. Counts are 0 or more."
    ]


def test_a_wide_table_counts_the_rows_of_the_file(tmp_path: Path) -> None:
    path, options = wide_csv(tmp_path)
    assert read_table(path, **options).release.rows_read == 2


def test_several_kinds_of_bad_counts_are_shown_at_once(tmp_path: Path) -> None:
    text = LONG.replace("2012-01,7", "2012-01,-7").replace("2012-02,5", "2012-02,many")
    assert [p.partition(": ")[0] for p in problems_of(tmp_path, text)] == [
        "crime.csv, row 5",
        "crime.csv, row 4",
    ]


def test_a_score_may_be_negative_and_fractional(tmp_path: Path) -> None:
    text = LONG.replace("2012-01,7", "2012-01,-7.5")
    table = read_table(write(tmp_path, text), wanted=(MeasureRequest("n", is_count=False),))
    assert only_measure(table)[1, 0] == -7.5


@pytest.mark.parametrize("bad", ["2013-15", "2012-Q1", "total", "0"])
def test_a_bad_period_is_named_with_a_good_one_beside_it(tmp_path: Path, bad: str) -> None:
    (problem,) = problems_of(tmp_path, LONG.replace("2012-02,5", f"{bad},5"))
    assert problem == (
        f"crime.csv, row 5: '{bad}' in 'month' is not a period like 2012-01. "
        "Write months '2012-04', quarters '2012-Q2', years '2012'."
    )


def test_a_table_of_other_periods_than_the_window_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, LONG, window=Window(start="1", end="16")) == [
        "crime.csv, row 2, 3, 4, 5: '2012-01' in 'month' is not a period. "
        "Write months '2012-04', quarters '2012-Q2', years '2012'."
    ]
    text = LONG.replace("2012-01", "1").replace("2012-02", "2")
    assert problems_of(tmp_path, text) == [
        "crime.csv: 'month' holds numbers, but the window is given in months. "
        "Write `study.window` like the table."
    ]


def test_a_table_outside_the_window_is_refused(tmp_path: Path) -> None:
    assert problems_of(tmp_path, LONG, window=Window(start="2015-01", end="2015-12")) == [
        "crime.csv: no row lies in the window 2015-01 to 2015-12; the table runs from 2012-01 to "
        "2012-02. Change `study.window`."
    ]


def test_only_whole_years_inside_a_window_of_months_are_read(tmp_path: Path) -> None:
    text = "area_code,year,n\nA1,2011,1\nA1,2012,2\nA1,2013,3\nA1,2014,4\n"
    window = Window(start="2011-06", end="2013-12")
    table = read_table(write(tmp_path, text), period="year", window=window)
    assert table.periods is not None
    assert table.periods.labels == ("2012", "2013")


def test_a_wide_table_has_no_period_column(tmp_path: Path) -> None:
    path, options = wide_csv(tmp_path)
    with pytest.raises(DataError) as caught:
        read_table(path, **options | {"period": "month"})
    assert str(caught.value) == "source.crime: a wide table has no period column. Drop `period`."


def test_a_wide_table_needs_columns_named_like_periods(tmp_path: Path) -> None:
    options = {"layout": "wide", "period": None, "wanted": (MeasureRequest("value"),)}
    assert problems_of(tmp_path, "area_code,first,second\nA1,1,2\n", **options) == [
        "crime.csv: no column is named like a period. Name them '2012-04', '2012' or '7'."
    ]


# ---------------------------------------------------------------- marks, periods and columns

WIDE = {"layout": "wide", "period": None, "wanted": (MeasureRequest("value"),)}


def test_hidden_counts_are_bounded_by_the_least_count_shown(tmp_path: Path) -> None:
    text = "area_code,2012-01,2012-02\nA1,[c],9\nB2,5,c\n"
    table = read_table(write(tmp_path, text), **WIDE)
    (hidden,) = table.hidden.values()
    assert (hidden.least, hidden.most) == (0, 4)
    np.testing.assert_array_equal(hidden.cells, [[True, False], [False, True]])
    np.testing.assert_array_equal(only_measure(table), [[2, 9], [5, 2]])
    assert any("2 hidden counts are taken as 2, the middle of 0 to 4" in n for n in table.notes)


def test_hidden_counts_lie_where_the_study_or_the_cell_says(tmp_path: Path) -> None:
    text = "area_code,2012-01,2012-02\nA1,<3,9\nB2,5,1\n"
    (hidden,) = read_table(write(tmp_path, text), **WIDE).hidden.values()
    assert (hidden.least, hidden.most) == (0, 2)
    (hidden,) = read_table(write(tmp_path, text), **WIDE, hidden=(1, 7)).hidden.values()
    assert (hidden.least, hidden.most) == (1, 7)


def test_hidden_counts_beside_small_ones_are_bounded_by_the_usual_rules(tmp_path: Path) -> None:
    """Of areas that have such counts; of an area of larger ones nothing says how large it is."""
    text = "area_code,2012-01,2012-02,2012-03\nA1,c,3,9\nB2,..,1,0\nC3,*,40,60\n"
    table = read_table(write(tmp_path, text), **WIDE)
    (hidden,) = table.hidden.values()
    assert (hidden.least, hidden.most) == (1, 9)
    np.testing.assert_array_equal(only_measure(table)[:, 0], [5, np.nan, np.nan])
    (reasons,) = table.reasons.values()
    assert [REASONS[r] for r in reasons[:, 0]] == ["", "not_published", "suppressed"]
    said = " ".join(table.notes)
    assert "1 hidden count is taken as 5, the middle of 1 to 9 (nothing says" in said
    assert "1 hidden count is missing, because nothing says how large" in said


def test_a_hidden_count_among_far_larger_ones_is_missing(tmp_path: Path) -> None:
    """It was not hidden for being small: nothing says what it is."""
    text = "area_code,2012-01,2012-02,2012-03\nA1,c,60,50\nB2,c,8,9\n"
    table = read_table(write(tmp_path, text), **WIDE)
    np.testing.assert_array_equal(only_measure(table)[:, 0], [np.nan, 3.5])
    assert "1 hidden count is missing, because nothing says how large" in " ".join(table.notes)


def test_a_mark_that_is_not_known_can_be_declared(tmp_path: Path) -> None:
    text = "area_code,2012-01,2012-02\nA1,#,9\nB2,5,1\n"
    (said,) = problems_of(tmp_path, text, **WIDE)
    assert said.endswith('or declare the mark: missing = { "#" = "suppressed" }.')
    table = read_table(write(tmp_path, text), **WIDE, missing={"#": "not_published"})
    np.testing.assert_array_equal(only_measure(table), [[np.nan, 9], [5, 1]])


def test_a_column_of_names_with_a_figure_in_its_header_is_no_period(tmp_path: Path) -> None:
    """Nomis heads its names '2011 super output area - middle layer'."""
    text = "2011 super output area,mnemonic,March 2012,April 2012\nHartlepool 001,E1,3,4\nLeeds 002,E2,5,6\n"
    table = read_table(write(tmp_path, text), **WIDE | {"area": "mnemonic"})
    np.testing.assert_array_equal(only_measure(table), [[3, 4], [5, 6]])
    assert any("not periods were left out: '2011 super output area'" in n for n in table.notes)


def test_a_sheet_that_begins_in_its_second_column_is_read(tmp_path: Path) -> None:
    """Stat-Xplore leaves the first column blank."""
    book = Workbook()
    for row in (["Claims"], ["Month", "January 2012", "February 2012"], ["MSOA"], ["A1", 3, 4], ["B2", 5, 6]):
        book.active.append([None, *row])
    book.save(tmp_path / "claims.xlsx")
    table = read_table(tmp_path / "claims.xlsx", **WIDE | {"area": "MSOA"})
    np.testing.assert_array_equal(only_measure(table), [[3, 4], [5, 6]])


def test_headings_and_totals_without_a_code_can_be_left_out(tmp_path: Path) -> None:
    """Live tables have rows of regions between those of districts, without a code."""
    text = "area_code,2012-01,2012-02\n,13,15\nA1,3,5\n,10,10\nB2,9,9\nC3,1,1\n"
    table = read_table(write(tmp_path, text), **WIDE, leave_out=("",))
    assert table.areas.tolist() == ["A1", "B2", "C3"]
    assert any("2 rows named in `leave_out` were left out" in n for n in table.notes)


def test_beside_decimal_commas_a_point_separates_thousands(tmp_path: Path) -> None:
    text = "area_code;2012-01;2012-02\nA1;1.234;5,5\nB2;950;12,25\n"
    wide = WIDE | {"wanted": (MeasureRequest("value", is_count=False),)}
    np.testing.assert_array_equal(
        only_measure(read_table(write(tmp_path, text), **wide)), [[1234, 5.5], [950, 12.25]]
    )


def test_wards_are_placed_by_the_lists_that_name_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of one edition has codes alone; the other edition has names."""
    copies = {r: catalogue()[r].copies[0] for r in ("ward_lsoa11", "ward_lsoa21")}
    (tmp_path / "geography").mkdir()
    pd.DataFrame({copies["ward_lsoa11"].area: ["E01000001"], "ward17_code": ["E05000001"]}).to_parquet(
        tmp_path / copies["ward_lsoa11"].path
    )
    held = {c.copied: ["E05000002"] for c in catalogue()["ward_lsoa21"].columns if c.copied}
    new = copies["ward_lsoa21"]
    held |= {new.area: ["E01000001"], new.name: ["A"], "ward24_name": ["Abbey"]}
    pd.DataFrame(held).to_parquet(tmp_path / copies["ward_lsoa21"].path)
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(tmp_path))
    text = "area_code,2012-01,2012-02\nABBEY,3,5\nNowhere,1,1\n"
    table = read_table(write(tmp_path, text), **WIDE, areas_by="ward")
    assert table.areas.tolist() == ["E05000002"]
    assert any("1 names could not be matched: Nowhere" in n for n in table.notes)


def test_columns_of_financial_years_are_read_as_such_and_said(tmp_path: Path) -> None:
    text = "area_code,2010-11,2011-12,2012-13\nA1,3,4,5\n"
    window = Window(start="2010", end="2013")
    table = read_table(write(tmp_path, text), window=window, **WIDE)
    assert table.periods is not None
    assert table.periods.labels == ("2010/11", "2011/12", "2012/13")
    assert any("April to March" in note for note in table.notes)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("2012-01,2012-Q1", "1 column is not periods like '2012-01': '2012-Q1'"),
        ("2012-01,Jan-12", "columns '2012-01' and 'Jan-12' are the same period"),
        ("2012-01,2012-01", "the header has column '2012-01' more than once"),
        ("2011-12,2012-13x", "1 column is not periods"),
        ("2004-05,2005-06", "'2004-05' may be 2004-05 or the financial year 2004/05"),
        ("03/04/2012,04/04/2012", "may be 2012-04 (day first) or 2012-03 (month first)"),
    ],
)
def test_a_column_of_a_wide_table_that_is_no_period_is_refused(
    tmp_path: Path, header: str, says: str
) -> None:
    (problem,) = problems_of(tmp_path, f"area_code,{header}\nA1,3,4\n", **WIDE)
    assert says in problem


def test_columns_of_a_wide_table_that_are_left_out_are_named(tmp_path: Path) -> None:
    text = "area_code,Persons,Persons,Census 2011,2012-01\nA1,9,9,7,3\n"
    table = read_table(write(tmp_path, text), **WIDE, leave_out=("Census 2011",))
    assert only_measure(table).tolist() == [[3.0]]
    assert any("columns that are not periods were left out: 'Persons'" in n for n in table.notes)


def test_months_as_people_write_them_are_months(tmp_path: Path) -> None:
    for header in ("Jan-12,Feb-12", "201201,201202", "31/01/2012,29/02/2012", "2012-1,2012-12"):
        table = read_table(write(tmp_path, f"area_code,{header}\nA1,3,4\n"), **WIDE)
        assert table.periods is not None
        assert table.periods.labels[0] == "2012-01"


def test_a_period_far_from_all_others_is_refused_and_fills_no_memory(tmp_path: Path) -> None:
    text = "area_code,t,n\nA1,1,3\nA1,2,4\nA1,20120000,5\n"
    window = Window(start="1", end="30000000")
    (problem,) = problems_of(tmp_path, text, window=window, period="t")
    assert "the table has 3 periods, but 20,120,000 lie from 1 to 20120000" in problem


def test_rows_kept_and_left_out_are_the_rows_read(tmp_path: Path) -> None:
    text = LONG + "A1,Abbey,2013-01,3,1500\nB2,Bridge,2012-03,9,1200\nTotal,,2012-03,9,1\n"
    release = read_table(write(tmp_path, text), where={"area_code": "a1"}).release
    assert (release.rows_read, release.rows_kept, release.rows_rejected) == (7, 2, 5)


def test_true_and_false_that_change_inside_areas_are_one_and_zero(tmp_path: Path) -> None:
    text = "area_code,month,n,on\nA1,2012-01,3,False\nA1,2012-02,4,True\n"
    for written in (text, text.replace("False", "no").replace("True", "Yes")):
        table = read_table(write(tmp_path, written), attributes=("on",))
        np.testing.assert_array_equal(table.varying["on"], [[0, 1]])
    (problem,) = problems_of(tmp_path, text.replace("False", "0").replace("True", "soon"), attributes=("on",))
    assert "row 3: 'soon' in 'on', which changes inside areas, is not a number." in problem


@pytest.mark.parametrize(
    ("months", "advice"),
    [
        (("40909", "40940", "40969"), "a spreadsheet's dates (40909 is 2012-01-01)"),
        (("20120100", "20120200", "20120300"), "Write months '2012-04' and years '2012'"),
        (("1", "2", "3"), "Write `study.window` like the table."),
    ],
)
def test_months_written_as_other_numbers_are_answered_with_what_they_look_like(
    tmp_path: Path, months: tuple[str, ...], advice: str
) -> None:
    text = "area_code,month,n\n" + "".join(f"A1,{m},3\n" for m in months)
    (problem,) = problems_of(tmp_path, text)
    assert advice in problem


@pytest.mark.parametrize("prefix", ["X", "n_", "rate "])
def test_a_prefix_that_all_periods_share_is_taken_off_and_said(tmp_path: Path, prefix: str) -> None:
    months = [f"{prefix}2012.{m:02d}" for m in (1, 2)]
    (tmp_path / "crime.csv").write_text(f"area_code,{','.join(months)}\nA1,1,2\nA2,3,4\n")
    options = {"layout": "wide", "period": None, "wanted": (MeasureRequest("value"),)}
    table = read_table(tmp_path / "crime.csv", **options)
    assert table.measures[MeasureRequest("value")].tolist() == [[1, 2], [3, 4]]
    assert f"crime.csv: '{prefix}2012.01' is taken as '2012.01'." in table.notes


def test_all_faults_of_a_table_show_at_once(tmp_path: Path) -> None:
    text = (
        "area_code,month,n\nA1,2012-01,three\nA1,2012-01,2\nA1,2012-02,-1\nTotal,2012-02,4\nB2,2012-01,inf\n"
    )
    found = problems_of(tmp_path, text)
    assert len(found) == 5
    for part in (
        "row 5: 'Total' is a total",
        "row 3: 1 row repeats",
        "'three' in 'n' is not",
        "'inf'",
        "'-1'",
    ):
        assert any(part in problem for problem in found), (part, found)


def test_a_period_that_cannot_be_read_hides_no_wrong_number(tmp_path: Path) -> None:
    text = "area_code,month,n\nA1,2012-01,three\nA1,2012/13-02,2\nB2,2012-01,1\n"
    assert [p[: len("crime.csv, row 2")] for p in problems_of(tmp_path, text)] == [
        "crime.csv, row 3",
        "crime.csv, row 2",
    ]
