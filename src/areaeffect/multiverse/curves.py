"""What a multiverse found: every branch in order of its effect, and all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.estimate.inference import around_zero
from areaeffect.multiverse.branches import TOTALS, Choice, Curve, CurveCase, Universe, own_choice
from areaeffect.records import described, table_of
from areaeffect.results import Annex, Floats, Result
from areaeffect.study.model import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Branched:
    """How many branches and placebo programmes a multiverse has, and what was not varied."""

    n_branches: int
    n_placebos: int
    without_branches: tuple[str, ...]
    buffers_km: tuple[float, ...]
    not_varied: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One branch for one finding: its place on the curve, its effect, and what was chosen."""

    group: str = described("initiative")
    outcome: str = described("outcome")
    rank: int | None = described("place on the curve, from the lowest effect; empty where missing", None)
    effect: float | None = described("effect: fraction of the counterfactual, or points of a score", None)
    placebo_low: float | None = described("2.5% quantile of this branch's placebos, centred on zero", None)
    placebo_high: float | None = described("97.5% quantile of this branch's placebos, centred on zero", None)
    p_value: float | None = described("of this branch alone, twice the smaller placebo tail", None)
    band_low: float | None = described("2.5% quantile of placebo curves at this rank", None)
    band_high: float | None = described("97.5% quantile of placebo curves at this rank", None)
    buffer_km: float = described("buffer around treated areas, km")
    common_support: bool = described("only areas within the treated range before the start")
    weighting: str = described("how benchmark areas are chosen and weighted")
    window: str = described("time before the start that is used")
    estimator: str = described("how neighbourhoods are brought together, or the library")
    form: str = described("functional form")
    is_study: bool = described("the study's own choices")
    reason: str = described("why the branch could not be computed", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """What all branches of one finding give together."""

    group: str = described("initiative")
    outcome: str = described("outcome")
    unit: str = described("unit of the effects")
    n_branches: int = described("branches that could be computed")
    n_missing: int = described("branches that could not")
    lowest: float | None = described("lowest effect of a branch", None)
    median: float | None = described("median effect over the branches", None)
    highest: float | None = described("highest effect of a branch", None)
    share_below: float | None = described("share of branches below zero", None)
    n_placebos: int = described("placebo programmes that went through the branches")
    median_low: float | None = described("2.5% quantile of the placebo programmes' medians", None)
    median_high: float | None = described("97.5% quantile of the placebo programmes' medians", None)
    median_p: float | None = described("of the median, twice the smaller placebo tail", None)
    share_p: float | None = described("of the share below zero, twice the smaller placebo tail", None)
    n_disjoint_placebos: int | None = described("placebo programmes that share no area", None)


def curves_annex(
    universe: Universe,
    study: Study,
    choices: Sequence[Choice],
    curves: Sequence[Sequence[Curve]],
    result: Result,
) -> Annex[Branched]:
    """Return every branch in order of its effect, and the joint test of each finding.

    Parameters
    ----------
    universe, study : what was varied, and around what.
    choices, curves : each set of choices, and what it gave.
    result : of the study itself.
    """
    own = own_choice(study, choices[0].buffer_km)
    rows: list[Branch] = []
    joint: list[Together] = []
    for case in universe.cases:
        if not case.units:
            continue
        found = [
            (choice, curve)
            for choice, some in zip(choices, curves, strict=True)
            for curve in some
            if (curve.group, curve.outcome) == (case.group, case.outcome)
        ]
        found.sort(key=lambda branch: np.inf if branch[1].effect is None else branch[1].effect)
        known = [c for _, c in found if c.effect is not None]
        effects = np.array([c.effect for c in known], dtype=np.float64)
        placebos = around_zero_each(np.array([c.placebos for c in known], dtype=np.float64).T, case.taken)
        rows += _branches(case, found, own, placebos)
        joint.append(_together(case, effects, placebos, len(found) - len(known), result))
    branched = Branched(
        n_branches=max((row.n_branches + row.n_missing for row in joint), default=0),
        n_placebos=universe.n_draws,
        without_branches=tuple(
            f"{c.outcome.replace('_', ' ')} ({c.group})" for c in universe.cases if not c.units
        ),
        buffers_km=tuple(universe.eligible),
        not_varied=() if len(universe.eligible) > 1 else ("buffer: the areas have no outlines",),
    )
    tables = (
        table_of("multiverse", "Every branch of the multiverse", Branch, rows),
        table_of("multiverse_joint", "All branches together", Together, joint),
    )
    return Annex("multiverse", branched, tables)


def _branches(
    case: CurveCase, found: Sequence[tuple[Choice, Curve]], own: Choice, placebos: Floats
) -> Iterator[Branch]:
    """Yield the branches, those with an effect first and in its order, beside their placebos.

    Parameters
    ----------
    found : in that order.
    placebos : (n_draws, n_branches with an effect), in the same order.
    """
    band = curve_band(placebos) if placebos.size else None
    for at, (choice, curve) in enumerate(found):
        leading = curve.estimator == TOTALS and curve.form == ("ratio" if curve.is_count else "additive")
        branch = Branch(
            group=curve.group,
            outcome=curve.outcome,
            buffer_km=choice.buffer_km,
            common_support=choice.common_support,
            weighting=choice.weighting,
            window=choice.window,
            estimator=curve.estimator,
            form=curve.form,
            is_study=choice == own and leading,
            reason=curve.reason if curve.effect is None else "",
        )
        if curve.effect is None:
            yield branch
            continue
        drawn = placebos[np.isfinite(placebos[:, at]), at]
        ends = np.quantile(drawn, (0.025, 0.975)) if len(drawn) else (None, None)
        yield replace(
            branch,
            rank=at + 1,
            effect=_printed(case, curve.effect),
            placebo_low=_printed(case, ends[0]),
            placebo_high=_printed(case, ends[1]),
            p_value=two_tailed(curve.effect, drawn) if len(drawn) else None,
            band_low=_printed(case, band[0][at]) if band else None,
            band_high=_printed(case, band[1][at]) if band else None,
        )


def _together(case: CurveCase, effects: Floats, placebos: Floats, n_missing: int, result: Result) -> Together:
    finding = next(
        f
        for f in result.findings
        if (f.group, f.outcome, f.neighbourhood) == (case.group, case.outcome, None)
    )
    together = Together(
        group=case.group,
        outcome=case.outcome,
        unit="fraction" if case.is_count else finding.unit,
        n_branches=len(effects),
        n_missing=n_missing,
        n_placebos=0,
        n_disjoint_placebos=finding.n_disjoint_placebos,
    )
    if not len(effects):
        return together
    test = joint_test(effects, placebos)
    return replace(
        together,
        lowest=_printed(case, effects.min()),
        median=_printed(case, test.median),
        highest=_printed(case, effects.max()),
        share_below=test.share_below,
        n_placebos=test.n_draws,
        median_low=_printed(case, test.median_low),
        median_high=_printed(case, test.median_high),
        median_p=test.median_p,
        share_p=test.share_p,
    )


def _printed(case: CurveCase, value: float | None) -> float | None:
    if value is None:
        return None
    return float(np.expm1(value)) if case.is_count else float(value)


#: Fewer placebo programmes than this carry no joint test.
MIN_DRAWS = 39
#: A placebo programme counts where at least this share of the branches could be computed for it.
_MIN_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """All branches of one finding against the same placebo programmes."""

    n_branches: int  # branches that could be computed
    n_draws: int  # placebo programmes that count
    #: median, share_below: median effect, and share of branches under zero
    median: float
    share_below: float
    #: median_p, share_p: twice the smaller tail, with the +1 correction; None under `MIN_DRAWS`.
    median_p: float | None = None
    share_p: float | None = None
    #: median_low, median_high: the middle 95% of the placebo programmes' medians
    median_low: float | None = None
    median_high: float | None = None


def joint_test(effects: Floats, placebos: Floats) -> JointTest:
    """Test all branches of one finding together.

    Parameters
    ----------
    effects : (n_branches,), all finite, on one scale.
    placebos : (n_draws, n_branches), the same branches of each placebo programme; NaN where a
        branch could not be computed.
    """
    counted = placebos[np.isfinite(placebos).mean(axis=1) >= _MIN_SHARE]
    median, share = float(np.median(effects)), float((effects < 0).mean())
    found = JointTest(n_branches=len(effects), n_draws=len(counted), median=median, share_below=share)
    if len(counted) < MIN_DRAWS:
        return found
    medians = np.nanmedian(counted, axis=1)
    below = (counted < 0).sum(axis=1) / np.isfinite(counted).sum(axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return replace(
        found,
        median_p=two_tailed(median, medians),
        share_p=two_tailed(share, below),
        median_low=float(low),
        median_high=float(high),
    )


def around_zero_each(placebos: Floats, taken: float) -> Floats:
    """Centre the placebo programmes of each branch on zero, as those of a finding are.

    Parameters
    ----------
    placebos : (n_draws, n_branches), NaN where a branch could not be computed.
    taken : share of the pool that the programme takes up, see `inference.Places`.
    """
    moved = placebos.copy()
    for column in moved.T:
        known = np.isfinite(column)
        if known.any():
            column[known] = around_zero(column[known], taken)
    return moved


def two_tailed(value: float, placebos: Floats) -> float:
    """Twice the smaller tail among finite placebos, with the +1 correction, at most 1."""
    drawn = placebos[np.isfinite(placebos)]
    smaller = min(int((drawn <= value).sum()), int((drawn >= value).sum()))
    return min(1.0, 2 * (1 + smaller) / (len(drawn) + 1))


def curve_band(placebos: Floats) -> tuple[Floats, Floats] | None:
    """Return the middle 95% of placebo curves at each rank, (n_branches,) each.

    A placebo curve is sorted as the real one is. Only programmes with every branch count; None
    where they are under `MIN_DRAWS`.
    """
    whole = placebos[np.isfinite(placebos).all(axis=1)]
    if len(whole) < MIN_DRAWS:
        return None
    low, high = np.quantile(np.sort(whole, axis=1), (0.025, 0.975), axis=0)
    return np.asarray(low), np.asarray(high)
