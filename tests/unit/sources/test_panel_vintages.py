"""Own counts on codes of two censuses: joined on the later one, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.periods import PeriodKind, Periods
from areaeffect.results import Release
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.panel_vintages import one_vintage

COUNT = MeasureRequest("n", (), True)
#: E01011973 and E01011976 became E01035188; E01012064 was split; the others stayed.
MERGED, NEW = ("E01011973", "E01011976"), "E01035188"
SPLIT, PARTS, STAYED = "E01012094", ("E01035199", "E01035200"), "E01011980"
NAN = np.nan


def table(rows: dict[str, list[float]], **more: object) -> SourceTable:
    areas = np.array(sorted(rows))
    values = np.array([rows[a] for a in areas.tolist()], dtype=float)
    district = np.array([f"district of {a}" for a in areas.tolist()])
    return SourceTable(
        areas=areas,
        names=areas,
        periods=Periods(PeriodKind.MONTH, 24_000, values.shape[1]),
        measures={COUNT: values},
        attributes={"district": district},
        varying={},
        release=Release(
            source="own",
            file="own.csv",
            sha256="",
            rows_read=0,
            rows_kept=0,
            rows_rejected=0,
            licence="",
            attribution="",
        ),
        notes=(),
        **more,
    )


def parts_of(code: str) -> tuple[str, ...]:
    from areaeffect.geography.codes import lsoa_pairs

    return lsoa_pairs(2021).children(code)


@pytest.mark.parametrize("blank", [0.0, NAN])
def test_codes_that_end_and_codes_that_begin_are_joined_and_it_is_said(blank: float) -> None:
    one, two = parts_of(SPLIT)
    given = table(
        {
            MERGED[0]: [4, 4, blank, blank],
            MERGED[1]: [6, 6, blank, blank],
            NEW: [blank, blank, 10, 10],
            SPLIT: [8, 8, blank, blank],
            one: [blank, blank, 5, 5],
            two: [blank, blank, 3, 3],
            STAYED: [5, 5, 5, 5],
            "not a code": [1, 1, 1, 1],
        }
    )
    found = one_vintage(given, "source.own")
    assert found.areas.tolist() == sorted([NEW, one, two, STAYED, "not a code"])
    values = dict(zip(found.areas.tolist(), found.measures[COUNT].tolist(), strict=True))
    assert values[NEW] == [10, 10, 10, 10]
    assert values[STAYED] == [5, 5, 5, 5]
    assert [values[one][0], values[two][0]] == [4, 4]
    assert [values[one][2], values[two][2]] == [5, 3]
    said = " ".join(found.notes)
    assert "3 older codes are beside 3 that replaced them" in said
    assert f"{MERGED[0]} → {NEW}" in said
    assert "divided equally" in said
    districts = dict(zip(found.areas.tolist(), found.attributes["district"].tolist(), strict=True))
    assert districts[NEW] == f"district of {NEW}"


def test_an_area_of_which_a_part_is_not_in_the_table_is_left_out_by_name() -> None:
    one, _ = parts_of(SPLIT)
    given = table(
        {MERGED[0]: [4, 4, 0], NEW: [0, 0, 10], SPLIT: [8, 8, 0], one: [0, 0, 5], STAYED: [5, 5, 5]}
    )
    found = one_vintage(given, "source.own")
    assert found.areas.tolist() == sorted([one, STAYED])
    assert any(NEW in note and "a part is not in the table" in note for note in found.notes)


def test_a_missing_month_of_a_code_in_use_stays_missing() -> None:
    given = table({MERGED[0]: [4, NAN, 4, NAN], MERGED[1]: [6, 6, 6, NAN], NEW: [NAN] * 3 + [10]})
    found = one_vintage(given, "source.own")
    np.testing.assert_array_equal(found.measures[COUNT], [[10, NAN, 10, 10]])


def test_a_table_of_one_census_is_left_as_it_is() -> None:
    for codes in ((MERGED[0], MERGED[1], SPLIT), (NEW, *parts_of(SPLIT))):
        given = table({code: [1, 2] for code in codes})
        assert one_vintage(given, "source.own") is given


def test_middle_layer_areas_are_joined_too() -> None:
    from areaeffect.geography.codes import msoa_pairs

    pairs = msoa_pairs()
    i = int(np.flatnonzero(pairs.change == "S")[0])
    old, parts = str(pairs.old[i]), pairs.children(str(pairs.old[i]))
    given = table({old: [6.0, 0]} | {part: [0.0, 3] for part in parts})
    found = one_vintage(given, "source.own")
    assert found.areas.tolist() == sorted(parts)
    assert found.measures[COUNT].sum(axis=0).tolist() == [6, 3 * len(parts)]


def test_scores_of_two_censuses_are_refused() -> None:
    given = table({MERGED[0]: [4, NAN], MERGED[1]: [6, NAN], NEW: [NAN, 5]})
    score = replace(given, measures={MeasureRequest("n", (), False): given.measures[COUNT]})
    with pytest.raises(DataError, match=r"of two censuses .* only counts can be joined"):
        one_vintage(score, "source.own")
