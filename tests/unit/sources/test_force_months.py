"""Which months of a force are whole: gaps found in simulated series, and few found falsely."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from areaeffect.periods import PeriodKind, label
from areaeffect.sources.coverage import area_holes, group_gaps
from areaeffect.sources.police_uk.force_coverage import force_months

FIRST = 2012 * 12
#: At least so many gaps found, at most so many found falsely.
FOUND, FALSE = 0.99, 0.01


def simulated(seed: int, n_forces: int = 200, n_months: int = 120) -> np.ndarray:
    """Monthly incidents of forces: seasons, trends, over-dispersion, from 30 to 60,000."""
    rng = np.random.default_rng(seed)
    month = np.arange(n_months)
    level = np.exp(rng.uniform(np.log(200), np.log(60_000), n_forces))[:, None]
    season = 1 + rng.uniform(0, 0.2, n_forces)[:, None] * np.sin(2 * np.pi * month / 12)
    trend = np.exp(rng.uniform(-0.05, 0.08, n_forces)[:, None] * month / 12)
    drift = np.exp(np.cumsum(rng.normal(0, 0.02, (n_forces, n_months)), axis=1))
    mean = level * season * trend * drift
    return rng.poisson(mean * rng.gamma(200, 1 / 200, mean.shape)).astype(float)


@pytest.mark.parametrize("left", [0.0, 0.1])
@pytest.mark.parametrize("length", [1, 4, 18])
def test_gaps_are_found_and_few_are_found_falsely(left: float, length: int) -> None:
    totals = simulated(1)
    rng = np.random.default_rng(2)
    is_gap = np.zeros(totals.shape, dtype=bool)
    for force in range(len(totals)):
        begin = rng.integers(0, totals.shape[1] - length)
        is_gap[force, begin : begin + length] = True
    cut = np.where(is_gap, np.floor(totals * left), totals)
    found = group_gaps(cut)
    assert found[is_gap].mean() >= FOUND
    assert found[~is_gap].mean() <= FALSE


@pytest.mark.parametrize("fall", [1.0, 0.6])
def test_holes_in_the_map_are_found_and_a_fall_is_not_a_hole(fall: float) -> None:
    """Ten districts of 60 to 300 areas; in a tenth of the months a quarter of the areas is out."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(10), np.linspace(60, 300, 10).astype(int))
    mean = rng.gamma(4, 2, len(group))[:, None] * np.linspace(1, fall, 60)
    values = rng.poisson(mean).astype(float)
    is_hole = rng.random((10, 60)) < 0.1
    out = is_hole[group] & (rng.random((len(group), 1)) < 0.25)
    found = area_holes(np.where(out, 0.0, values), group)
    assert found[is_hole].mean() >= FOUND
    assert found[~is_hole].mean() <= FALSE


def test_rare_events_have_no_holes_to_find() -> None:
    rng = np.random.default_rng(4)
    values = rng.poisson(np.full((300, 40), 0.5) * np.linspace(1, 0.5, 40)).astype(float)
    assert not area_holes(values, np.zeros(300, dtype=np.int64)).any()


def manifest(force: str, kept: dict[int, int], **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "source": "police_uk",
            "force": force,
            "month": label(FIRST + month, PeriodKind.MONTH),
            "status": "current",
            "rows_kept": n,
            "rows_rejected": 0,
            "not_located": 0,
            "categories": {"burglary": n},
        }
        | more
        for month, n in kept.items()
    ]


def statuses(rows: list[dict[str, Any]]) -> list[str]:
    return [cell.status for cell in force_months(rows)]


def test_a_month_between_first_and_last_that_is_not_there_is_missing() -> None:
    rows = manifest("a", {0: 100, 1: 100, 3: 100})
    assert statuses(rows) == ["complete", "complete", "missing", "complete"]


def test_a_residue_is_partial_and_stays_so() -> None:
    kept = dict.fromkeys(range(12), 1000) | dict.fromkeys(range(12, 40), 4)
    assert statuses(manifest("a", kept)) == ["complete"] * 12 + ["partial"] * 28


def test_a_file_without_a_usable_row_is_missing() -> None:
    assert statuses(manifest("a", {0: 100, 1: 0, 2: 100})) == ["complete", "missing", "complete"]


def test_a_month_with_many_rejected_rows_is_partial() -> None:
    assert statuses(manifest("a", {0: 100}, rows_rejected=12)) == ["partial"]
    assert statuses(manifest("a", {0: 100}, rows_rejected=11)) == ["complete"]


@pytest.mark.parametrize(("by_point", "status"), [(False, "partial"), (True, "complete")])
def test_a_month_whose_rows_lost_their_areas_is_partial_and_no_month_of_zeros(
    by_point: bool, status: str
) -> None:
    rows = manifest("a", dict.fromkeys(range(8), 1000), not_located=30)
    rows[5] |= {"not_located": 600, "with_point_only": 590}
    found = force_months(rows, by_point=by_point)
    assert [c.status for c in found] == ["complete"] * 5 + [status] + ["complete"] * 2
    assert by_point or found[5].why == "60% of its rows have no area, of others 3%"


def test_replaced_files_do_not_count() -> None:
    rows = manifest("a", {0: 100}) + manifest("a", {5: 100}, status="replaced")
    assert statuses(rows) == ["complete"]


def test_each_force_has_its_own_span() -> None:
    table = force_months([*manifest("b", {3: 9}), *manifest("a", {0: 9, 1: 9})])
    assert [(c.force, c.month) for c in table] == [("a", "2012-01"), ("a", "2012-02"), ("b", "2012-04")]


def kinds(*months: tuple[int, int]) -> list[dict[str, Any]]:
    """Months with so many burglaries and so many incidents of anti-social behaviour."""
    return [
        manifest("a", {i: burglary + asb}, categories={"burglary": burglary, "anti-social-behaviour": asb})[0]
        for i, (burglary, asb) in enumerate(months)
    ]


@pytest.mark.parametrize("left", [0, 2])
@pytest.mark.parametrize("at", [0, 3, 5])
def test_a_whole_month_that_lacks_a_category_the_force_always_has_says_so(left: int, at: int) -> None:
    months = [(100, 40)] * 6
    months[at] = (100, left)
    table = force_months(kinds(*months))
    assert [c.lacks for c in table if c.lacks] == [("anti-social-behaviour",)]
    assert table[at].lacks
    assert table[at].status == "complete"
    assert table[at].why == "without anti-social-behaviour"


def test_a_category_that_is_rare_or_falls_by_half_is_no_gap() -> None:
    assert not any(c.lacks for c in force_months(kinds((100, 6), (100, 0), (100, 5))))
    assert not any(c.lacks for c in force_months(kinds((100, 60), (100, 30), (100, 25))))


def test_a_category_that_did_not_exist_yet_is_no_gap() -> None:
    rows = manifest("a", dict.fromkeys(range(12, 18), 100))
    for i, row in enumerate(rows):
        row["month"] = f"2013-0{i + 2}"
        order = "public-order" if i > 2 else "public-disorder-weapons"
        row["categories"] = {"burglary": 60, order: 40}
    assert not any(c.lacks for c in force_months(rows))
