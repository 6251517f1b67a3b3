"""What cannot be meant in a user's table is named before anything is estimated from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.results import Floats
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.panel_table import read
from areaeffect.sources.screening import screen
from areaeffect.study.model import PanelSource
from areaeffect.study.parts import Window

MONTHS = [f"2012-{m:02d}" for m in range(1, 13)]
WINDOW = Window(start="2012-01", end="2012-12")


def counts(n_areas: int = 12, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).poisson(20.0, (n_areas, 12)).astype(float)


def screened(
    folder: Path, values: Floats, codes: list[str], *, is_count: bool = True, **source: object
) -> SourceTable:
    rows = [
        f"{code}," + ",".join("" if np.isnan(v) else f"{v:g}" for v in row)
        for code, row in zip(codes, values, strict=True)
    ]
    path = folder / "t.csv"
    path.write_text("\n".join(["area_code," + ",".join(MONTHS), *rows]) + "\n")
    panel = PanelSource(
        kind="panel",
        path="t.csv",
        area="area_code",
        layout="wide",
        **source,  # type: ignore[arg-type]
    )
    table = read("t", panel, path, WINDOW, (MeasureRequest("value", is_count=is_count),), ())
    return screen(panel, table)


def codes(n: int) -> list[str]:
    return [f"A{i:03d}" for i in range(n)]


def refused(folder: Path, values: Floats, names: list[str], **source: object) -> str:
    with pytest.raises(DataError) as caught:
        screened(folder, values, names, **source)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_table_passes_without_a_word(tmp_path: Path, seed: int) -> None:
    assert screened(tmp_path, counts(40, seed), codes(40)).notes == ()


def test_a_sum_of_all_areas_and_of_some_is_named(tmp_path: Path) -> None:
    values = counts()
    every = np.vstack([values, values[:6].sum(axis=0), values[6:].sum(axis=0), values.sum(axis=0)])
    said = refused(tmp_path, every, [*codes(12), "Z1 District", "Z2 District", "Z3 Town"])
    assert "3 areas are the sum of others" in said
    assert "Z1 District (of 6 areas)" in said
    assert "Z3 Town (of 12 areas)" in said
    accepted = screened(tmp_path, every, [*codes(12), "Z1", "Z2", "Z3"], accept=("sums of areas",))
    assert len(accepted.areas) == 15


def test_an_area_with_the_weighted_total_of_others_is_no_sum_of_them(tmp_path: Path) -> None:
    values = counts()
    other = values[:6].sum(axis=0)
    other[:3] += [1.0, -2.0, 1.0]  # what the weights of three months in a row cannot tell apart
    every = np.vstack([values, other])
    assert len(screened(tmp_path, every, [*codes(12), "Z1"]).areas) == 13


def test_rare_events_in_many_areas_add_up_by_chance_and_are_no_sums(tmp_path: Path) -> None:
    rates = np.random.default_rng(3).gamma(0.3, 0.4, (3000, 1))
    rare = np.random.default_rng(4).poisson(rates, (3000, 12)).astype(np.float64)
    assert len(screened(tmp_path, rare, codes(3000)).areas) == 3000


def test_a_row_called_a_total_among_the_areas_is_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, counts(3), ["A1", "Grand Total", "A2"])
    assert "t.csv, row 3: 'Grand Total' is a total, not an area." in said


@pytest.mark.parametrize("name", ["National average", "All LSOAs", "UK", "England average"])
def test_a_row_called_an_average_or_all_places_is_refused(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, counts(3), ["A1", name, "A2"])
    assert f"t.csv, row 3: '{name}' is a total, not an area." in said


def test_a_place_whose_name_begins_like_a_total_is_an_area(tmp_path: Path) -> None:
    names = ["All Saints", "Meanwood", "Totley"]
    assert screened(tmp_path, counts(3), names).areas.tolist() == names


def test_in_a_table_of_countries_a_nation_is_an_area(tmp_path: Path) -> None:
    said = refused(tmp_path, counts(3), ["Leeds", "United Kingdom", "York"])
    assert "'United Kingdom' is a total, not an area." in said
    found = screened(tmp_path, counts(3), ["France", "Spain", "United Kingdom"])
    assert "United Kingdom" in found.areas


def test_districts_among_small_areas_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, counts(4), ["E01000001", "E01000002", "E01000003", "E06000001"])
    assert "the areas are LSOAs, but 1 are of another kind: E06000001 (local authorities)" in said


def test_a_mark_for_missing_in_a_score_is_refused_with_its_cells(tmp_path: Path) -> None:
    values = counts()
    values[2, 3] = -99
    said = refused(tmp_path, values, codes(12), is_count=False)
    assert "1 cell of 'value' holds -99" in said
    assert "A002 2012-04" in said
    missing = screened(tmp_path, values, codes(12), is_count=False, missing={"-99": "not_published"})
    assert np.isnan(next(iter(missing.measures.values()))[2, 3])


@pytest.mark.parametrize("mark", [-9.0, -99.0, 99.0, 999.0])
def test_a_mark_far_beyond_scores_on_both_sides_of_zero_is_refused(tmp_path: Path, mark: float) -> None:
    values = np.round((counts(40) - 20) / 4.5, 3)
    values[2, 3] = values[7, 5] = mark
    assert f"2 cells of 'value' hold {mark:g}" in refused(tmp_path, values, codes(40), is_count=False)


@pytest.mark.parametrize("mark", [88.0, 99.0, -1.0])
def test_a_mark_beyond_a_scale_from_0_to_10_is_refused(tmp_path: Path, mark: float) -> None:
    values = np.minimum(counts(40) // 4, 10)
    values[2, 3] = values[7, 5] = mark
    assert f"hold {mark:g}" in refused(tmp_path, values, codes(40), is_count=False)


def test_one_negative_number_repeated_among_positive_ones_is_a_mark(tmp_path: Path) -> None:
    values = counts(40)
    values[2, 3] = values[7, 5] = -99.9
    assert "hold -99.9" in refused(tmp_path, values, codes(40), is_count=False)


def test_a_single_999_among_small_counts_is_refused(tmp_path: Path) -> None:
    values = counts()
    values[2, 3] = 999
    assert "1 cell of 'value' holds 999" in refused(tmp_path, values, codes(12))


def test_counts_that_reach_the_numbers_of_marks_are_no_marks(tmp_path: Path) -> None:
    values = counts() * 5
    values[2, 3], values[4, 4] = 99, 88
    assert screened(tmp_path, values, codes(12)).notes == ()


def test_a_large_area_whose_code_is_new_has_no_outlying_cells(tmp_path: Path) -> None:
    values = np.random.default_rng(3).poisson(2.0, (40, 12)).astype(float)
    values[0, :5], values[0, 5:] = 0, 250 + np.arange(7)
    assert screened(tmp_path, values, codes(40)).areas[0] == "A000"
    values[1, 7] = 900
    assert "A001 2012-08 (the first holds 900)" in refused(tmp_path, values, codes(40))


def test_an_area_that_moves_more_than_others_has_no_outlying_cells(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(70, 0.05, (40, 12)), 4)
    values[0] = np.round(rng.normal(65, 12, 12), 4)  # a hundred people among hundred thousands
    assert screened(tmp_path, values, codes(40), is_count=False).notes == ()
    values[5, 7] = 7000
    said = refused(tmp_path, values, codes(40), is_count=False)
    assert "A005 2012-08 (the first holds 7000)" in said


@pytest.mark.parametrize("seed", range(5))
def test_an_area_nearly_the_sum_of_all_others_is_named(tmp_path: Path, seed: int) -> None:
    values = counts(20, seed)
    placed_nowhere = np.random.default_rng(seed).integers(0, 9, 12)
    every = np.vstack([values, values.sum(axis=0) + placed_nowhere])
    said = refused(tmp_path, every, [*codes(20), "Z1 Town"])
    assert "1 area is nearly the sum of all others in every period of 'value': Z1 Town" in said


@pytest.mark.parametrize("seed", range(5))
def test_an_area_that_is_the_mean_of_all_others_is_named(tmp_path: Path, seed: int) -> None:
    values = counts(40, seed) + np.arange(40)[:, None]
    assert screened(tmp_path, values, codes(40), is_count=False).notes == ()
    every = np.vstack([values, np.round(values.mean(axis=0), 1)])
    said = refused(tmp_path, every, [*codes(40), "Z1 Region"], is_count=False)
    assert "1 area is the mean of all others in every period of 'value': Z1 Region" in said


def test_a_bare_name_among_codes_is_refused_and_among_names_is_an_area(tmp_path: Path) -> None:
    coded = [f"E0100{i:04d}" for i in range(11)]
    said = refused(tmp_path, counts(), [*coded, "Ward A"])
    assert "the areas are LSOAs, but 1 are of another kind: Ward A (no codes)" in said
    assert len(screened(tmp_path, counts(2), ["E01000001", "Ward A"]).areas) == 2


def test_scores_below_zero_are_no_marks(tmp_path: Path) -> None:
    values = counts() - 20.5
    values[2, 3] = -9
    assert screened(tmp_path, values, codes(12), is_count=False).notes == ()


def test_a_cell_a_thousand_times_its_neighbours_is_refused(tmp_path: Path) -> None:
    values = counts()
    values[5, 7] *= 1000
    said = refused(tmp_path, values, codes(12))
    assert "A005 2012-08" in said
    assert len(screened(tmp_path, values, codes(12), accept=("outlying cells",)).areas) == 12


def test_two_areas_and_two_periods_with_the_same_numbers_are_named(tmp_path: Path) -> None:
    values = counts()
    values[4] = values[9]
    values[:, 3] = values[:, 8]
    notes = " ".join(screened(tmp_path, values, codes(12)).notes)
    assert "2 areas have the same numbers in 'value' throughout (A004, A009)" in notes
    assert "2 periods have the same numbers in 'value' throughout (2012-04, 2012-09)" in notes


def test_a_table_that_ends_in_the_middle_of_an_area_is_named(tmp_path: Path) -> None:
    values = counts()
    values[11, 8:] = np.nan
    notes = " ".join(screened(tmp_path, values, codes(12)).notes)
    assert "only the last area, A011, lacks the last periods" in notes
