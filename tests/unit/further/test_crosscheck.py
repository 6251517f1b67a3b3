"""Cross-checks: the same areas, honest refusals, and an exact tie to the ratio of totals."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from areaeffect.commands.evaluate import evaluate
from areaeffect.design.programme import Weighted
from areaeffect.errors import StudyError
from areaeffect.estimate.crosscheck import ESTIMATORS, CrossCheck, CrossPanel, cross_check
from areaeffect.findings.series import build_panel
from areaeffect.panel import Neighbourhood
from areaeffect.periods import PeriodKind
from areaeffect.report import faces
from areaeffect.results import NotEstimable, Result
from areaeffect.study import file as study_file
from areaeffect.study.analysis import EstimatorName
from areaeffect.wording.numbers import number
from tests.shared.small_panel import measure
from tests.shared.small_study import edit, write_small_study

ALL_ESTIMATORS = ", ".join(f'"{name}"' for name in ("counterfactual", *ESTIMATORS))
#: Poisson iterates until its deviance moves by less than 1e-8.
SAME_POISSON = 1e-7
#: Two closed forms in double precision.
SAME = 1e-9


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Result:
    study = write_small_study(tmp_path_factory.mktemp("study"))
    edit(study, "placebos = 39", f"placebos = 39\nestimators = [{ALL_ESTIMATORS}]")
    return evaluate(study, threads=1)


def made(n_clusters: int, effect: float = 0.8, *, is_count: bool = True) -> CrossPanel:
    """Two areas a neighbourhood, 60 benchmark areas, 8 blocks, start at the fifth."""
    rng = np.random.default_rng(3)
    treated, outside = 2 * n_clusters, 60
    mean = rng.gamma(20.0, 2.0, treated + outside)
    outcome = rng.poisson(mean[:, None] * np.ones(8)).astype(float)
    outcome[:treated, 4:] = rng.poisson(effect * mean[:treated, None] * np.ones(4))
    start = np.repeat([4, -1], [treated, outside])
    return CrossPanel(
        outcome=outcome,
        start=start,
        straddles=np.zeros(len(start), dtype=bool),
        weight=np.where(start >= 0, 1.0, rng.gamma(2.0, 0.5, len(start))),
        cluster=np.where(start >= 0, np.arange(len(start)) // 2, 1000 + np.arange(len(start))),
        is_count=is_count,
        seed=1,
    )


def test_every_named_estimator_says_what_it_assumes_and_why_it_differs() -> None:
    assert set(ESTIMATORS) | {"counterfactual"} == set(EstimatorName.__args__)
    for about in ESTIMATORS.values():
        assert about.assumes.endswith(".")
        assert about.differs.endswith(".")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_finds_a_fall_of_a_fifth(name: str) -> None:
    found = cross_check(name, made(12))
    assert isinstance(found, CrossCheck)
    assert found.low is not None
    assert found.high is not None
    assert found.low < -0.2 < found.high
    assert found.high - found.low < 0.2


@pytest.mark.parametrize("name", ["callaway_santanna", "imputation", "random_timing", "poisson"])
def test_few_neighbourhoods_carry_no_cluster_robust_interval(name: str) -> None:
    few, enough = cross_check(name, made(9)), cross_check(name, made(10))
    assert isinstance(few, CrossCheck)
    assert isinstance(enough, CrossCheck)
    assert (few.low, few.high, few.p_value) == (None, None, None)
    assert few.refused.startswith("refused: 9 treated neighbourhoods; under 10")
    assert enough.p_value is not None
    assert enough.refused == ""


def test_poisson_with_one_start_is_the_ratio_of_weighted_totals() -> None:
    panel = made(3)
    weighted = panel.outcome * panel.weight[:, None]
    inside, outside = weighted[panel.treated], weighted[~panel.treated]
    ratio = (inside[:, 4:].sum() / inside[:, :4].sum()) / (outside[:, 4:].sum() / outside[:, :4].sum())
    found = cross_check("poisson", panel)
    assert isinstance(found, CrossCheck)
    assert found.estimate == pytest.approx(ratio - 1, rel=SAME_POISSON)


def test_imputation_with_one_start_is_the_difference_of_weighted_changes() -> None:
    panel = made(3, is_count=False)
    change = panel.outcome[:, 4:].mean(axis=1) - panel.outcome[:, :4].mean(axis=1)
    inside, outside = panel.treated, ~panel.treated
    expected = change[inside].mean() - np.average(change[outside], weights=panel.weight[outside])
    found = cross_check("imputation", panel)
    assert isinstance(found, CrossCheck)
    assert found.estimate == pytest.approx(expected, rel=SAME)


def test_scores_have_no_poisson_and_no_treated_area_no_estimate() -> None:
    assert cross_check("poisson", made(3, is_count=False)) == NotEstimable(
        "Poisson fixed effects are for counts"
    )
    none = made(0)
    assert cross_check("poisson", none) == NotEstimable("no treated or no benchmark area is left")


def test_without_enough_benchmark_areas_synthetic_did_has_no_interval() -> None:
    found = cross_check("synthetic_did", made(30))
    assert isinstance(found, CrossCheck)
    assert found.low is None
    assert found.refused == "its placebo variance needs more benchmark than treated areas"


# ---------------------------------------------------------------- blocks of time

MONTH = PeriodKind.MONTH


def blocks(*starts: int, gap: int | None = None, n: int = 24) -> CrossPanel | NotEstimable:
    values = np.full((6, n), 5.0)
    if gap is not None:
        values[5, gap] = np.nan
    places = [
        Neighbourhood(
            initiative="I",
            name=f"n{g}",
            areas=np.array([g]),
            start=2012 * 12 + s,
            start_kind=MONTH,
            resident_led=None,
        )
        for g, s in enumerate(starts)
    ]
    outside = np.arange(len(starts), 6)
    one = Weighted(outside, np.full(len(outside), 1 / len(outside)), True, np.empty(0), 4.0)
    return build_panel(measure(values), places, [p.areas for p in places], [one] * len(places), 1)


def test_blocks_are_half_years_counted_from_the_first_start() -> None:
    found = blocks(14)
    assert isinstance(found, CrossPanel)
    assert found.outcome.shape == (6, 3)  # months 2–7, 8–13, 14–19; five left over at the end
    assert found.start.tolist() == [2, -1, -1, -1, -1, -1]
    assert not found.straddles.any()
    np.testing.assert_allclose(found.outcome, 60.0)  # five a month is sixty a year


def test_a_start_inside_a_block_is_marked_and_counts_from_the_next() -> None:
    found = blocks(12, 15)
    assert isinstance(found, CrossPanel)
    assert found.start[:2].tolist() == [2, 3]
    assert found.straddles[:2].tolist() == [False, True]


def test_a_gap_leaves_the_block_on_the_months_that_everyone_has() -> None:
    found = blocks(12, gap=3)
    assert isinstance(found, CrossPanel)
    np.testing.assert_allclose(found.outcome, 60.0)


def test_a_start_without_a_whole_block_after_it_is_not_estimable() -> None:
    assert blocks(12, 22) == NotEstimable("a neighbourhood has no whole block of time after its start")


# ---------------------------------------------------------------- beside the findings


def test_cross_checks_stand_beside_the_finding_and_agree_where_they_must(small: Result) -> None:
    annex = small.annex("crosscheck")
    assert annex is not None
    rows = {row["estimator"]: row for row in annex.table("crosscheck").records()}
    assert len(rows) == len(ESTIMATORS)
    finding = next(f for f in small.findings if f.form == "ratio" and f.neighbourhood is None)
    assert finding.low is not None  # the placebo result stays
    for row in rows.values():
        assert row["main_estimate"] == finding.estimate
    poisson = rows["Poisson fixed effects"]
    assert poisson["estimate"] == pytest.approx(finding.estimate, abs=SAME_POISSON)
    assert poisson["low"] is None
    assert poisson["interval"].startswith("refused: 3 treated neighbourhoods")


def test_the_report_prints_every_cross_check(small: Result) -> None:
    text = faces.render(small)
    annex = small.annex("crosscheck")
    assert annex is not None
    for row in annex.table("crosscheck").records():
        assert number(row["estimate"], "ratio") in text
    assert 'href="data/crosscheck.csv"' in text


def test_without_the_extra_the_study_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = write_small_study(tmp_path)
    edit(study, "placebos = 39", 'placebos = 39\nestimators = ["counterfactual", "poisson"]')
    real = importlib.util.find_spec
    monkeypatch.setattr(study_file, "find_spec", lambda n: None if n == "pyfixest" else real(n))
    with pytest.raises(StudyError) as caught:
        evaluate(study, threads=1)
    assert str(caught.value) == (
        f"{study}, line {_line(study, 'estimators')}, analysis.estimators: poisson need the extra "
        "'crosscheck', which is not installed. Install it with `pip install "
        "'areaeffect[crosscheck]'`, or leave them out."
    )


def _line(study: Path, word: str) -> int:
    lines = study.read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if line.startswith(word))
