"""Published releases: damaged files are refused with the place; nothing is dropped or guessed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from areaeffect.errors import DataError
from areaeffect.panel import REASONS
from areaeffect.periods import PeriodKind
from areaeffect.sources.publishers import tables as published
from areaeffect.sources.publishers.releases import find_release
from areaeffect.sources.publishers.tables import read
from areaeffect.tables.text_rows import below_header, read_sheets


@pytest.fixture
def put(tmp_path):
    """Write a table in the place of a release's only file and return the folder."""

    def write(release_id, frame):
        (file,) = find_release(release_id).copies
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        pd.DataFrame(frame).to_parquet(path)
        return tmp_path

    return write


LONELY = {"lsoa21_code": ["E01000002", "E01000001"], "perc": [20.0, 25.0], "deciles": [1, 10]}


def test_another_file_in_its_place_is_read_and_noted(put):
    table = read("loneliness", put("loneliness", LONELY))
    assert table.areas.tolist() == ["E01000001", "E01000002"]
    assert table.values["lonely_percent"].tolist() == [[25.0], [20.0]]
    (note,) = table.notes
    assert note.startswith("modelled_loneliness_2020_21_lsoa21.parquet is not the file on record")


def test_only_what_is_asked_for_is_kept(put):
    table = read("loneliness", put("loneliness", LONELY), only=["lonely_percent"])
    assert list(table.values) == ["lonely_percent"]
    with pytest.raises(DataError, match=r"has no column 'lonely'.*Did you mean 'lonely_percent'"):
        read("loneliness", put("loneliness", LONELY), only=["lonely"])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"lsoa21_code": ["E01000001", "E01000001"]}, "loneliness: there are two rows of E01000001."),
        (
            {"lsoa21_code": ["E01000001", "E05000001"]},
            "loneliness: 'E05000001' is not a code of vintage lsoa21. Check that the file is the "
            "release's own.",
        ),
        (
            {"lsoa21_code": ["E01000001", None]},
            "loneliness: '' is not a code of vintage lsoa21. Check that the file is the release's own.",
        ),
        (
            {"perc": ["24", "n/a"]},
            "loneliness: 'n/a' in 'perc' (area E01000001) is neither a number nor a known marker. "
            "Known: none.",
        ),
        (
            {"perc": [24.0, None]},
            "loneliness: an empty cell in 'perc' (area E01000001) is neither a number nor a known "
            "marker. Known: none.",
        ),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(put, change, sentence):
    with pytest.raises(DataError) as caught:
        read("loneliness", put("loneliness", {**LONELY, **change}))
    assert str(caught.value) == sentence


def test_a_renamed_column_is_guessed(put):
    frame = {("percent" if c == "perc" else c): v for c, v in LONELY.items()}
    with pytest.raises(DataError) as caught:
        read("loneliness", put("loneliness", frame))
    assert str(caught.value) == (
        "loneliness: the publisher may have changed the file: there is no column 'perc'. Did you "
        "mean 'percent'?"
    )


def test_categories_become_columns_and_an_absent_row_is_missing(put):
    frame = {
        "lsoa11_code": ["E01000001", "E01000001", "E01000002"],
        "year": [2011, 2012, 2011],
        "category": ["theft-bicycle"] * 3,
        "count": [0, 4, 2],
    }
    frame = pd.concat([pd.DataFrame(frame), pd.DataFrame({**frame, "category": ["theft-vehicle"] * 3})])
    table = read("met_police_minor", put("met_police_minor", frame))
    assert table.periods.kind is PeriodKind.YEAR
    np.testing.assert_array_equal(table.values["bicycle_theft"], [[0, 4], [2, np.nan]])
    assert table.reasons["bicycle_theft"].tolist() == [[0, 0], [0, REASONS.index("no_row")]]


def test_a_category_that_stands_twice_is_refused(put):
    frame = {
        "lsoa11_code": ["E01000001"] * 2,
        "year": [2011] * 2,
        "category": ["theft-bicycle"] * 2,
        "count": [1, 2],
    }
    with pytest.raises(DataError, match="E01000001 has category 'theft-bicycle' twice"):
        read("met_police_minor", put("met_police_minor", frame))


def test_a_category_that_is_gone_is_named(put):
    frame = {"lsoa11_code": ["E01000001"], "year": [2011], "category": ["theft-bike"], "count": [1]}
    with pytest.raises(DataError) as caught:
        read("met_police_minor", put("met_police_minor", frame))
    assert str(caught.value.problems[0]) == (
        "met_police_minor: the publisher may have changed the file: there is no column "
        "'theft-bicycle', 'theft-vehicle'. It has instead: 'theft-bike'."
    )


def test_a_category_nobody_knows_is_named_not_dropped(put):
    frame = pd.DataFrame(
        {
            "lsoa11_code": ["E01000001"] * 3,
            "year": [2011] * 3,
            "category": ["theft-bicycle", "theft-vehicle", "theft-boat"],
            "count": [1, 2, 3],
        }
    )
    with pytest.raises(DataError) as caught:
        read("met_police_minor", put("met_police_minor", frame))
    assert str(caught.value) == (
        "met_police_minor: 'theft-boat' is a category without a column. The publisher has "
        "a new category: it needs a row in the table of columns."
    )


@pytest.mark.parametrize(
    ("text", "kind", "ordinal"),
    [
        ("2012-13", PeriodKind.YEAR, 2012),
        ("2012.0", PeriodKind.YEAR, 2012),
        ("1995-12", PeriodKind.QUARTER, 1995 * 4 + 3),
        ("1995-11", PeriodKind.QUARTER, None),
        ("1995-Q4", PeriodKind.QUARTER, 1995 * 4 + 3),
        ("soon", PeriodKind.YEAR, None),
    ],
)
def test_periods_are_read_as_publishers_write_them(text, kind, ordinal):
    assert published._ordinal(text, kind) == ordinal


def test_what_is_not_a_workbook_is_refused(tmp_path):
    path = tmp_path / "table.xlsx"
    path.write_bytes(b"PK not really")
    with pytest.raises(DataError, match="the workbook cannot be read"):
        read_sheets(path, ["1c"])


def test_a_header_that_moved_is_found_and_one_that_is_gone_is_named():
    rows = [["Title", ""], ["", ""], ["Area  code", "Homes"], ["E1", 4.0]]
    frame = below_header(rows, "Area code", "book, sheet 1")
    assert frame.to_dict("list") == {"Area code": ["E1"], "Homes": [4.0]}
    with pytest.raises(DataError) as caught:
        below_header(rows, "Area", "book, sheet 1")
    assert str(caught.value) == (
        "book, sheet 1: no row holds the header 'Area'. The publisher may have changed it."
    )
