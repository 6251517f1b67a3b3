"""Published figures of other estimators, through the very functions a study calls.

Which figures of `validation/published_figures.csv` are covered, and why the others are not, stands
in `docs/validation/published.md`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

from areaeffect.commands.evaluate import evaluate
from areaeffect.estimate.crosscheck import CrossCheck, CrossPanel, cross_check
from areaeffect.estimate.linearised import Staggered, random_timing

pytestmark = pytest.mark.real_data

#: Stored R output holds eight digits of estimates.
ESTIMATE = 1e-8
#: Standard errors of R did 2.1.2 are analytical; ours come back out of an interval's ends.
ERROR = 1e-7
#: Iterated weights (Frank and Wolfe): five significant figures.
ITERATED = 1e-5


# ---------------------------------------------------------------- mpdta: R did 2.1.2


@pytest.fixture(scope="module")
def counties(real_data: Path) -> CrossPanel:
    table = pd.read_csv(real_data / "validation" / "mpdta" / "mpdta.csv")
    wide = table.pivot_table(index="countyreal", columns="year", values="lemp")
    first = table.groupby("countyreal")["first.treat"].first().reindex(wide.index).to_numpy()
    start = np.where(first > 0, first - 2003, -1).astype(np.int64)
    n = len(wide)
    return CrossPanel(
        outcome=wide.to_numpy(),
        start=start,
        straddles=np.zeros(n, dtype=bool),
        weight=np.ones(n),
        cluster=np.arange(n),
        is_count=False,
        seed=1,
    )


def checked(name: str, panel: CrossPanel) -> CrossCheck:
    found = cross_check(name, panel)
    assert isinstance(found, CrossCheck)
    return found


def error_of(found: CrossCheck, quantile: float) -> float:
    assert found.low is not None
    assert found.high is not None
    return (found.high - found.low) / 2 / quantile


def test_callaway_santanna_on_mpdta(counties: CrossPanel) -> None:
    found = checked("callaway_santanna", counties)
    assert found.estimate == pytest.approx(-0.03995128, abs=ESTIMATE)
    # a survey design with n clusters and one stratum has n - 1 degrees of freedom
    assert error_of(found, t.ppf(0.975, 499)) == pytest.approx(0.01203401, rel=2e-3)


def test_callaway_santanna_events_on_mpdta(counties: CrossPanel) -> None:
    """The library as such: events, the dynamic average and one cell of the did README."""
    diff_diff = pytest.importorskip("diff_diff")
    found = diff_diff.CallawaySantAnna().fit(
        counties.long(), outcome="y", unit="unit", time="time", first_treat="first"
    )
    assert found.overall_att == pytest.approx(-0.03995128, abs=ESTIMATE)
    assert found.overall_se == pytest.approx(0.01203401, abs=ERROR)
    events = found.aggregate("event_study")
    assert list(events.event_time) == [-3, -2, -1, 0, 1, 2, 3]
    np.testing.assert_allclose(
        events.att,
        [0.03050666, -0.00056308, -0.02445874, -0.01993182, -0.05095737, -0.13725874, -0.10081136],
        atol=ESTIMATE,
    )
    after = events.event_time >= 0
    assert events.att[after].mean() == pytest.approx(-0.07723982, abs=ESTIMATE)
    index = np.flatnonzero(np.isin(events.vcov_index, events.event_time[after]))
    variance = np.asarray(events.vcov)[np.ix_(index, index)]
    assert np.sqrt(variance.sum()) / len(index) == pytest.approx(0.01996499, abs=ERROR)
    groups = found.aggregate("group")
    sizes = [(counties.start == year - 2003).sum() for year in (2004, 2006, 2007)]
    assert np.average(groups.att, weights=sizes) == pytest.approx(-0.031, abs=5e-4)
    assert found.group_time_effects[(2, 4)]["effect"] == pytest.approx(-0.1373, abs=5e-5)


def test_imputation_on_mpdta(counties: CrossPanel) -> None:
    found = checked("imputation", counties)
    assert found.estimate == pytest.approx(-0.0477, abs=5e-5)
    assert error_of(found, t.ppf(0.975, 499)) == pytest.approx(0.0132, abs=1e-4)


# ---------------------------------------------------------------- Proposition 99: R synthdid 0.0.9


def test_synthetic_did_on_proposition_99(real_data: Path) -> None:
    path = real_data / "validation" / "california_prop99" / "california_prop99.csv"
    table = pd.read_csv(path, sep=";")
    wide = table.pivot_table(index="State", columns="Year", values="PacksPerCapita")
    treated = table.groupby("State")["treated"].max().reindex(wide.index).to_numpy() == 1
    n = len(wide)
    panel = CrossPanel(
        outcome=wide.to_numpy(),
        start=np.where(treated, 1989 - 1970, -1),
        straddles=np.zeros(n, dtype=bool),
        weight=np.ones(n),
        cluster=np.arange(n),
        is_count=False,
        seed=1,
        samples=2,  # placebo standard errors differ between runs (11.8, 7.3, 7.6): not golden
    )
    assert checked("synthetic_did", panel).estimate == pytest.approx(-15.60383, rel=ITERATED)


# ---------------------------------------------------------------- Chicago: R staggered

OFFICERS = "officer_month_panel_balanced.parquet"
#: (estimate, standard error, Neyman standard error) as the package's documentation prints them.
CHICAGO = {None: (-0.001126981, 0.002115194, 0.002119248), 1.0: (-0.005176818, 0.003928735, None)}
#: Half of the last digit printed.
PRINTED = 6e-10


@pytest.fixture(scope="module")
def officers(real_data: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_parquet(
        real_data / "validation" / "chicago_police_training" / OFFICERS,
        columns=["uid", "period", "complaints", "first_trained"],
    )
    wide = table.pivot_table(index="uid", columns="period", values="complaints")
    first = table.groupby("uid")["first_trained"].first().reindex(wide.index)
    return wide.to_numpy(), first.to_numpy() - 1


@pytest.mark.parametrize("beta", CHICAGO)
def test_random_timing_on_police_training(
    officers: tuple[np.ndarray, np.ndarray], beta: float | None
) -> None:
    effect, error, conservative = CHICAGO[beta]
    found: Staggered = random_timing(*officers, beta)
    assert found.estimate == pytest.approx(effect, abs=PRINTED)
    if error is not None:
        assert found.error == pytest.approx(error, abs=PRINTED)
    if conservative is not None:
        assert found.conservative == pytest.approx(conservative, abs=PRINTED)


# ---------------------------------------------------------------- Seattle, two quarters after
SEATTLE = Path(__file__).parents[2] / "studies" / "seattle_dmi" / "study.toml"
COLUMNS = {"felony": "i_felony", "misdemeanour": "i_misdemea", "drugs": "i_drugs"}
#: Tolerances and their reasons: `test_seattle.py`, which holds the whole window.
TOTAL, EFFECT, INTERVAL, P = 0.01, 0.0005, 0.01, 0.005


def test_seattle_after_two_quarters(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same weights, a shorter window: microsynth runs sea2 and sea6, `end_post_14`."""
    monkeypatch.setenv("AREAEFFECT_SHARED_DATA", str(real_data))
    text = SEATTLE.read_text(encoding="utf-8")
    study = tmp_path / "study.toml"
    study.write_text(
        text.replace('end = "16"', 'end = "14"').replace("placebos = 999", "placebos = 39"), encoding="utf-8"
    )
    found = {f.outcome: f for f in evaluate(study, threads=2).findings if f.form == "ratio" and f.estimate}
    table = pd.read_csv(real_data / "validation" / "published_figures.csv")
    for run in ("microsynth sea2", "microsynth sea6"):
        rows = table[table["method"].str.startswith(run)].set_index("quantity")
        for outcome in ("felony", "misdemeanour", "drugs", "any_crime"):
            ours, at = found[outcome], f"{COLUMNS.get(outcome, outcome)}.end_post_14"
            linear = rows.loc[f"{at}.proportional_change.linear"]
            (companion,) = (c for c in ours.companions if c.kind == "linearised")
            assert ours.observed == rows.loc[f"{at}.treated_total", "estimate"]
            assert ours.counterfactual == pytest.approx(
                rows.loc[f"{at}.synthetic_control_total", "estimate"], abs=TOTAL
            )
            assert ours.estimate == pytest.approx(linear["estimate"], abs=EFFECT)
            assert companion.low == pytest.approx(linear["ci_low"], abs=INTERVAL)
            assert companion.high == pytest.approx(linear["ci_high"], abs=INTERVAL)
            assert companion.p_value == pytest.approx(linear["p_value"], abs=P)


# ---------------------------------------------------------------- without data of others


def test_random_timing_covers_where_timing_is_random() -> None:
    """Fresh draws: 95 % of intervals hold the effect, within four binomial errors."""
    rng = np.random.default_rng(11)
    n_runs, covered = 300, 0
    for _ in range(n_runs):
        start = rng.permutation(np.repeat([3, 5, 8], [20, 20, 40]))
        level = rng.normal(size=(80, 1))
        outcome = level + rng.normal(size=(80, 8))
        outcome += 0.5 * (np.arange(8) >= start[:, None])
        found = random_timing(outcome, start)
        covered += abs(found.estimate - 0.5) <= norm.ppf(0.975) * found.error
    assert abs(covered / n_runs - 0.95) <= 4 * np.sqrt(0.95 * 0.05 / n_runs)


def test_random_timing_needs_two_units_a_start_and_someone_later() -> None:
    with pytest.raises(ValueError, match="single unit"):
        random_timing(np.zeros((3, 4)), np.array([1, 2, 2]))
    with pytest.raises(ValueError, match="no treated period has units that start later"):
        random_timing(np.zeros((4, 4)), np.array([4, 4, 4, 4]))
