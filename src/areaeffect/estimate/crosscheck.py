"""Estimators of well-kept libraries on the same neighbourhoods and the same benchmark areas.

Each sees one small panel: treated areas and benchmark areas, in blocks of time. They are
cross-checks: their intervals rest on assumptions of their own, and under ten treated
neighbourhoods cluster-robust ones are refused (measured false alarms there are 19 to 84% at a
nominal 5%: MacKinnon & Webb, QED 1355).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.estimate.linearised import random_timing
from areaeffect.results import Bools, Floats, Ints, NotEstimable

if TYPE_CHECKING:
    import pandas as pd


#: Fewer treated clusters than this carry no cluster-robust interval or p-value.
MIN_CLUSTERS = 10
_LEVEL = 0.95
#: Placebo samples that synthetic difference-in-differences takes its variance from.
SDID_SAMPLES = 100


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CrossPanel:
    """Treated and benchmark areas in blocks of time."""

    outcome: Floats  # (n_units, n_blocks), events a year, or means of a score
    start: Ints  # (n_units,), position of the first block wholly treated; -1 for benchmark areas.
    straddles: Bools  # (n_units,), whether the block before `start` was treated in part
    weight: Floats  # (n_units,), calibration weights; 1 for treated areas.
    cluster: Ints  # (n_units,), the neighbourhood; each benchmark area is its own.
    is_count: bool  # events, or a score
    #: seed, samples: of the placebo samples that a variance is taken from
    seed: int
    samples: int = SDID_SAMPLES

    @property
    def treated(self) -> Bools:
        """(n_units,): which units are treated."""
        return np.asarray(self.start >= 0)

    @property
    def n_clusters(self) -> int:
        """Treated neighbourhoods."""
        return len(np.unique(self.cluster[self.treated]))

    def treated_mean(self) -> float:
        """Mean outcome over the treated areas' blocks from their start on."""
        blocks = np.arange(self.outcome.shape[1])
        after = self.treated[:, None] & (blocks >= self.start[:, None])
        return float(self.outcome[after].mean())

    def long(self) -> pd.DataFrame:
        """Return one row a unit and block; `first` is 0 for benchmark areas, else from 1."""
        import pandas as pd

        n, blocks = self.outcome.shape
        first = np.where(self.treated, self.start + 1, 0)
        time = np.tile(np.arange(1, blocks + 1), n)
        return pd.DataFrame(
            {
                "unit": np.repeat(np.arange(n), blocks),
                "time": time,
                "y": self.outcome.ravel(),
                "first": np.repeat(first, blocks),
                "ever": np.repeat(self.treated.astype(int), blocks),
                "after": np.repeat(first > 0, blocks) & (time >= np.repeat(first, blocks)),
                "partly": np.repeat(self.straddles, blocks) & (time == np.repeat(first, blocks) - 1),
                "weight": np.repeat(self.weight / self.weight.mean(), blocks),
                "cluster": np.repeat(self.cluster, blocks),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck:
    """One library's answer; fractions for counts, points for scores.

    `kind` says what the interval is; where it is refused, `refused` says why.
    """

    estimate: float
    low: float | None
    high: float | None
    p_value: float | None
    kind: str
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Estimator:
    """A named alternative: what runs it, what it assumes, and why it may differ."""

    title: str
    package: str
    assumes: str
    differs: str
    run: Callable[[CrossPanel], CrossCheck | NotEstimable]


def cross_check(name: str, panel: CrossPanel) -> CrossCheck | NotEstimable:
    """Run one estimator; what the library refuses is not estimable, with its reason.

    Raises
    ------
    ImportError
        Where the extra `crosscheck` is not installed.
    """
    if not panel.treated.any() or panel.treated.all():
        return NotEstimable("no treated or no benchmark area is left")
    if (panel.start[panel.treated] - panel.straddles[panel.treated] < 1).any():
        return NotEstimable("a neighbourhood has no whole block of time before its start")
    estimator = ESTIMATORS[name]
    try:
        with warnings.catch_warnings():  # their remarks are for programmers; ours are in `differs`
            warnings.simplefilter("ignore")
            return estimator.run(panel)
    except (ValueError, np.linalg.LinAlgError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return NotEstimable(f"{estimator.package} gave no estimate: {reason}")


def _callaway_santanna(panel: CrossPanel) -> CrossCheck | NotEstimable:
    found = _diff_diff("CallawaySantAnna", panel)
    return _clustered(panel, found, "cluster-robust, by influence functions")


def _imputation(panel: CrossPanel) -> CrossCheck | NotEstimable:
    return _clustered(panel, _diff_diff("ImputationDiD", panel), "cluster-robust, conservative")


def _diff_diff(name: str, panel: CrossPanel) -> Any:
    """Fit one of the library's estimators of staggered starts, weighted and clustered."""
    import diff_diff

    return getattr(diff_diff, name)(anticipation=int(panel.straddles.any())).fit(
        panel.long(),
        outcome="y",
        unit="unit",
        time="time",
        first_treat="first",
        survey_design=diff_diff.SurveyDesign(weights="weight", psu="cluster"),
    )


def _clustered(panel: CrossPanel, found: Any, kind: str) -> CrossCheck | NotEstimable:
    low, high = found.overall_conf_int
    additive = (found.overall_att, low, high)
    return _guarded(panel, _relative(panel, additive), float(found.overall_p_value), kind)


def _synthetic_did(panel: CrossPanel) -> CrossCheck | NotEstimable:
    """One run a start, averaged by treated areas (Arkhangelsky et al. 2021, appendix A)."""
    import diff_diff
    from scipy.stats import norm

    effects, errors, sizes = [], [], []
    for start in np.unique(panel.start[panel.treated]):
        inside = panel.treated & (panel.start == start)
        keep = inside | ~panel.treated
        cut = bool(panel.straddles[inside].any())
        part = replace(
            panel,
            outcome=panel.outcome[keep],
            start=panel.start[keep],
            straddles=panel.straddles[keep],
            weight=panel.weight[keep],
            cluster=panel.cluster[keep],
        )
        rows = part.long()
        if cut:  # the block in which the start falls is neither before nor after
            rows = rows[rows["time"] != start]
        n_outside = int((~part.treated).sum())
        enough = n_outside > int(inside.sum())
        found = diff_diff.SyntheticDiD(
            variance_method="placebo" if enough else "jackknife",
            n_bootstrap=panel.samples if enough else 2,
            seed=panel.seed,
        ).fit(
            rows,
            outcome="y",
            treatment="ever",
            unit="unit",
            time="time",
            post_periods=sorted(rows.loc[rows["time"] > start, "time"].unique()),
        )
        effects.append(float(found.att))
        errors.append(float(found.se) if enough else math.nan)
        sizes.append(float(inside.sum() * (panel.outcome.shape[1] - start)))
    share = np.array(sizes) / np.sum(sizes)
    effect = float(share @ effects)
    error = float(np.sqrt((share**2) @ (np.array(errors) ** 2)))
    if not math.isfinite(error):
        return CrossCheck(
            estimate=_relative(panel, (effect,))[0], low=None, high=None, p_value=None, kind="none",
            refused="its placebo variance needs more benchmark than treated areas",
        )  # fmt: skip
    half = float(norm.ppf(0.5 + _LEVEL / 2)) * error
    estimate, low, high = _relative(panel, (effect, effect - half, effect + half))
    p_value = float(2 * norm.sf(abs(effect) / error)) if error > 0 else None
    return CrossCheck(
        estimate=estimate, low=low, high=high, p_value=p_value, kind="its own placebo variance, normal"
    )


def _random_timing(panel: CrossPanel) -> CrossCheck | NotEstimable:
    """Each neighbourhood is one unit: its areas share what happened to it."""
    from scipy.stats import norm

    _, first, member = np.unique(panel.cluster, return_index=True, return_inverse=True)
    sizes = np.bincount(member)
    outcome = np.array([np.bincount(member, column) / sizes for column in panel.outcome.T]).T
    never = panel.outcome.shape[1]
    start = np.where(panel.treated, panel.start, never)[first]
    found = random_timing(outcome, start)
    half = float(norm.ppf(0.5 + _LEVEL / 2)) * found.error
    ends = _relative(panel, (found.estimate, found.estimate - half, found.estimate + half))
    p_value = float(2 * norm.sf(abs(found.estimate) / found.error)) if found.error > 0 else 1.0
    return _guarded(panel, ends, p_value, "of random timing, by neighbourhood")


def _poisson(panel: CrossPanel) -> CrossCheck | NotEstimable:
    import pyfixest

    if not panel.is_count:
        return NotEstimable("Poisson fixed effects are for counts")
    rows = panel.long()
    rows = rows[~rows["partly"] & (rows.groupby("unit")["y"].transform("sum") > 0)]
    rows = rows[rows.groupby("time")["y"].transform("sum") > 0]
    rows = rows.assign(after=rows["after"].astype(float))
    found = pyfixest.fepois("y ~ after | unit + time", rows, weights="weight", vcov={"CRV1": "cluster"})
    log = float(found.coef().iloc[0])
    low, high = (float(x) for x in found.confint(alpha=1 - _LEVEL).iloc[0])
    ends = tuple(float(np.expm1(x)) for x in (log, low, high))
    return _guarded(panel, ends, float(found.pvalue().iloc[0]), "cluster-robust (CRV1)")


def _relative(panel: CrossPanel, additive: tuple[float, ...]) -> tuple[float, ...]:
    """Express additive effects as fractions of what the treated mean would have been."""
    if not panel.is_count:
        return tuple(float(a) for a in additive)
    mean = panel.treated_mean()
    return tuple(float(a / (mean - a)) if mean - a > 0 else math.nan for a in additive)


def _guarded(
    panel: CrossPanel, ends: tuple[float, ...], p_value: float, kind: str
) -> CrossCheck | NotEstimable:
    """Refuse a cluster-robust interval and p-value that few neighbourhoods cannot carry."""
    if not math.isfinite(ends[0]):
        return NotEstimable("its counterfactual is not positive, so there is no ratio to take")
    if panel.n_clusters < MIN_CLUSTERS:
        why = (
            f"refused: {panel.n_clusters} treated neighbourhoods; under {MIN_CLUSTERS}, "
            "cluster-robust intervals raise false alarms in 19 to 84% of cases"
        )
        return CrossCheck(estimate=ends[0], low=None, high=None, p_value=None, kind="none", refused=why)
    low, high = (x if math.isfinite(x) else None for x in ends[1:])
    return CrossCheck(estimate=ends[0], low=low, high=high, p_value=p_value, kind=kind)


#: One line an estimator; the names are those of `analysis.estimators`.
ESTIMATORS: Mapping[str, Estimator] = {
    "callaway_santanna": Estimator(
        "Callaway–Sant'Anna",
        "diff-diff",
        "Without the initiative, treated and benchmark areas would have changed by the same "
        "number of incidents from the last block of time before each start.",
        "It is additive and leans on one block of time before the start; ours is a ratio and uses "
        "all of them.",
        _callaway_santanna,
    ),
    "synthetic_did": Estimator(
        "Synthetic difference-in-differences",
        "diff-diff",
        "Some weighting of benchmark areas and of earlier periods runs parallel to the treated "
        "areas before the start and would have gone on doing so.",
        "It is additive and finds its own weights inside the benchmark areas; with sparse counts "
        "these are nearly equal.",
        _synthetic_did,
    ),
    "imputation": Estimator(
        "Imputation (Borusyak, Jaravel and Spiess)",
        "diff-diff",
        "Each area has a level of its own and all share one path of additive change in every "
        "untreated period.",
        "It is additive; ours is a ratio. With one start it is the difference of the changes in means.",
        _imputation,
    ),
    "random_timing": Estimator(
        "Random timing (Roth and Sant'Anna)",
        "areaeffect",
        "Which neighbourhoods started when, or never, is as good as random.",
        "It is additive, uses no weights, and corrects gaps before the starts only as far as they "
        "predict later ones; benchmark areas chosen to be alike are not a random draw.",
        _random_timing,
    ),
    "poisson": Estimator(
        "Poisson fixed effects",
        "pyfixest",
        "Each area has a level of its own, all share one path of proportional change, and the "
        "effect is the same proportion everywhere.",
        "With one start it is the ratio of totals itself; with several, areas treated earlier "
        "serve as comparison for later ones.",
        _poisson,
    ),
}
