"""The lines of a trend: the gap drawn after the start is the gap that is estimated."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.findings.plan import _periods_left_out
from areaeffect.results import Result, Series
from tests.shared.small_study import CODES, NEIGHBOURHOODS, edit_table, write_small_study

TREATED = [CODES[i] for positions in NEIGHBOURHOODS.values() for i in positions]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Treated areas beyond the reach of the pool, where change follows what they have more of."""
    folder = tmp_path_factory.mktemp("series")
    path = write_small_study(folder)
    deprived: dict[str, float] = {}

    def far_off(areas: pd.DataFrame) -> pd.DataFrame:
        own = areas["deprivation"].astype(float)
        own = own.where(~areas["area_code"].isin(TREATED), own.max() + 8.0)
        deprived.update(zip(areas["area_code"], own, strict=True))
        return areas.assign(deprivation=own.map(str))

    def growing(crime: pd.DataFrame) -> pd.DataFrame:
        after = crime["month"] >= "2013-01"
        counts = crime["n"].astype(int)
        rate = 1 + 0.02 * crime["area_code"].map(deprived)
        return crime.assign(n=counts.where(~after, (counts * rate).round()).astype(int).map(str))

    edit_table(folder / "areas.csv", far_off)
    edit_table(folder / "crime.csv", growing)
    return evaluate(path, threads=1)


def shares(series: Series, since: str) -> tuple[float, float]:
    """Return observed over expected before and after a start."""
    sums = {False: [0.0, 0.0], True: [0.0, 0.0]}
    for period, own, other in zip(series.periods, series.observed, series.counterfactual, strict=True):
        assert own is not None
        assert other is not None
        sums[period >= since][0] += own
        sums[period >= since][1] += other
    return sums[False][0] / sums[False][1], sums[True][0] / sums[True][1]


def test_the_gap_drawn_is_the_gap_estimated(result: Result) -> None:
    finding = next(f for f in result.findings if f.neighbourhood is None and f.form == "ratio")
    assert any("taken out by regression" in text for text in finding.caveats)
    assert finding.estimate is not None
    before, after = shares(result.series[0], "2013-01")
    assert before == pytest.approx(1.0)
    assert after == pytest.approx(1.0 + finding.estimate)


def test_the_gap_drawn_of_one_neighbourhood_is_its_own(result: Result) -> None:
    for path in result.neighbourhood_series:
        finding = next(
            f for f in result.findings if f.neighbourhood == path.neighbourhood and f.form == "ratio"
        )
        assert finding.estimate is not None
        before, after = shares(path, "2013")
        assert after / before == pytest.approx(1.0 + finding.estimate)


def test_periods_left_out_are_said_as_spans_and_once_for_all_with_the_same(result: Result) -> None:
    one = replace(result.designs[0], periods_left_out=("2017-07", "2017-08", "2017-09", "2018-01"))
    two = replace(one, neighbourhood="Other")
    (said,) = _periods_left_out([one, two, replace(one, periods_left_out=())])
    assert "2017-07 to 2017-09, 2018-01 left out" in said
    assert f"{one.neighbourhood} ({one.initiative}); Other ({one.initiative})" in said
