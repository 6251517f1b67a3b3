"""Regression to the mean: what the design finds in the worst places, with nothing done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.checks.base import EFFECT, Answer, Check, CheckInputs, Subject, effect
from areaeffect.checks.refits import LEVEL, RISE, percentile_among, scores_of
from areaeffect.estimate.inference import CENTRE_LIMIT, MIN_PLACEBOS
from areaeffect.findings.cohorts import ClaimCohorts, places_of
from areaeffect.placebo.programmes import Candidates
from areaeffect.records import described
from areaeffect.results import Bools, Floats, Ints
from areaeffect.streams import Use, generator
from areaeffect.wording.numbers import phrase

#: Shares of places that are tried as 'the worst', until there is room for a programme in them.
SHARES = (0.1, 0.2, 1 / 3)
#: There is room where the worst places hold this multiple of the programme's areas.
ROOM = 4.0
#: A programme whose neighbourhoods lie above this percentile on average was itself at a worst.
HIGH = 80.0
_CLEAR = 2.0  # Monte Carlo errors


@dataclass(frozen=True, slots=True)
class Reversion:
    """What the design finds on placebo programmes in the worst places."""

    #: mean percentile of the real neighbourhoods among all that could be drawn, 100 the worst
    percentile: float
    #: bias, error: mean estimate of those placebo programmes, and its Monte Carlo error
    bias: float
    error: float

    def could_explain(self, estimate: float, deviation: float, limit: float) -> bool:
        """Whether the choice of places could be part of a finding.

        It could where the places were at a worst, the bias is more than noise and more than
        `limit` placebo deviations, and it points where the estimate does.
        """
        clear = abs(self.bias) > max(_CLEAR * self.error, limit * deviation)
        return self.percentile >= HIGH and clear and self.bias * estimate > 0


def worst(scores: Floats, share: float) -> Bools:
    """Tell which places are the worst over all outcomes, by their mean percentile.

    Parameters
    ----------
    scores : (n_places, n_outcomes), higher is worse; NaN where unknown: such a place is none.
    share : of places, that are the worst.
    """
    known = np.asarray(np.isfinite(scores).all(axis=1), dtype=np.bool_)
    if not known.any() or not scores.shape[1]:
        return known  # a neighbourhood without a number may be drawn anywhere
    ranks = [percentile_among(column, column[known]) for column in scores.T]
    mean = np.mean(ranks, axis=0)
    found = np.zeros(len(scores), dtype=bool)
    found[known] = mean[known] >= np.quantile(mean[known], 1 - share)
    return found


def reversion(percentiles: Floats, estimates: Floats) -> Reversion:
    """Sum up one finding's check.

    Parameters
    ----------
    percentiles : (n_neighbourhoods,), of the real ones.
    estimates : (n_draws,), of placebo programmes in the worst places; NaN where none was drawn.
    """
    drawn = estimates[np.isfinite(estimates)]
    error = float(drawn.std(ddof=1) / np.sqrt(len(drawn)))
    return Reversion(float(np.nanmean(percentiles)), float(drawn.mean()), error)


#: Placebo programmes drawn for each choice of places; their mean is known to a tenth of their
#: deviation.
DRAWS = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstPlaces:
    """What the design finds on placebo programmes in the worst places by one score."""

    chosen_on: str = described("'level' (a high level before the start) or 'rise' (a recent one)")
    percentile: float = described(
        "mean percentile of the real neighbourhoods among all that could be drawn, 100 the worst"
    )
    share: float = described("share of places, the worst, that placebo programmes were drawn from")
    bias: float | None = described(f"mean effect found on those placebo programmes: {EFFECT}")
    bias_error: float = described("its Monte Carlo error, on the log scale for ratios")
    estimate: float = described(f"the finding, for comparison: {EFFECT}")


#: The numbers of a finding are its rows.
OfReversion = Answer[tuple[WorstPlaces, ...], WorstPlaces]


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    """Placebo programmes in the worst places by one score."""

    percentiles: Floats  # (n_units, n_outcomes of the study), of the real neighbourhoods
    share: float  # of places, that were drawn from
    drawn: Floats  # (n_draws, n_units, n_outcomes, n_totals)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """Every place that may represent one piece of a neighbourhood, and how bad it is."""

    options: tuple[Ints, ...]
    scores: Floats


def _run(inputs: CheckInputs) -> list[OfReversion]:
    """Draw placebo programmes on a high level and on a recent rise, and show their bias."""
    chosen: dict[str, _Chosen] = {}
    if any(s.is_estimated for s in inputs.changes()):
        chosen = _choose(inputs, inputs.evidence.plan.leading)
    return inputs.each(lambda s: _answer(inputs, chosen, s), inputs.changes())


def _choose(inputs: CheckInputs, arm: ClaimCohorts) -> dict[str, _Chosen]:
    evidence = inputs.evidence
    plan, n = evidence.plan, len(evidence.measures)
    rng = generator(Use.MEAN_REVERSION, plan.machine.seed)
    places = places_of(inputs.study, inputs.data.panel, plan.pool, plan.units, rng)
    better = [outcome.better for outcome in inputs.study.outcome]
    found = {}
    for kind in (LEVEL, RISE):
        percentiles = np.full((len(plan.units), n), np.nan)
        scored = []
        for g, unit in enumerate(plan.units):
            pieces: list[_Scored] = []
            ranks: list[Floats] = []
            for areas, options in places[g]:
                same = next((p for p in pieces if p.options is options), None)
                scores = same.scores if same else scores_of(arm, better, g, kind, options)
                pieces.append(_Scored(options, scores))
                mine = scores_of(arm, better, g, kind, [areas])
                among = scores[np.isfinite(scores).all(axis=1)]
                both = zip(mine.T, among.T, strict=True)
                ranks.append(np.ravel([percentile_among(own, of) for own, of in both]))
            percentiles[g, list(arm.used(g, unit.areas))] = np.mean(ranks, axis=0)
            scored.append(pieces)
        share, banks = _worst_banks(scored, sum(len(u.areas) for u in plan.units))
        only = replace(arm, draws=None)
        job = replace(plan.machine, arms=(only,), banks=banks, spread=None)
        found[kind] = _Chosen(percentiles, share, inputs.run(job, DRAWS))
    return found


def _worst_banks(scored: Sequence[Sequence[_Scored]], n_treated: int) -> tuple[float, tuple[Candidates, ...]]:
    """Keep the worst places of each neighbourhood: the smallest share with room for a programme."""
    banks: list[Candidates] = []
    for share in SHARES:
        banks = []
        kept: dict[int, tuple[Ints, ...]] = {}  # those of one start and size share their places
        for pieces in scored:
            mine = {
                id(p.options): tuple(p.options[i] for i in np.flatnonzero(worst(p.scores, share)))
                for p in pieces
            }
            banks.append(Candidates(tuple(mine[id(p.options)] for p in pieces)))
            if any(p.scores.shape[1] for p in pieces):
                kept |= mine
        every = [areas for options in kept.values() for areas in options]
        if every and len(np.unique(np.concatenate(every))) >= ROOM * n_treated:
            break
    return share, tuple(banks)


def _answer(inputs: CheckInputs, chosen: dict[str, _Chosen], s: Subject) -> OfReversion:
    found: dict[str, Reversion] = {}
    for kind, c in chosen.items():
        estimates = s.case.statistic(c.drawn[:, :, s.case.position])
        if np.isfinite(estimates).sum() >= MIN_PLACEBOS:
            own = c.percentiles[list(s.case.units), s.case.position]
            found[kind] = reversion(own, estimates)
    if not found:
        return s.silent(phrase("check_mean_reversion.too_few", n=len(s.case.units)))
    estimate = float(np.log1p(s.effect)) if s.case.is_ratio else s.effect
    drawn = s.case.statistic(inputs.evidence.drawn[:, :, s.case.position])
    spread = float(np.nanstd(drawn, ddof=1))
    warns = any(r.could_explain(estimate, spread, CENTRE_LIMIT) for r in found.values())
    rows = tuple(
        WorstPlaces(
            chosen_on=kind,
            percentile=r.percentile,
            share=chosen[kind].share,
            bias=s.case.printed(r.bias),
            bias_error=r.error,
            estimate=s.effect,
        )
        for kind, r in found.items()
    )
    return s.answer(rows, *rows, warns=warns)


def _say(a: OfReversion, n: tuple[WorstPlaces, ...]) -> str:
    parts = (
        phrase(
            f"check_mean_reversion.{row.chosen_on}",
            share=f"{100 * row.share:.0f}%",
            effect=effect(row.bias, a.finding.form),
            percentile=f"{row.percentile:.0f}",
        )
        for row in n
    )
    return phrase("check_mean_reversion.found", parts="; ".join(parts))


MEAN_REVERSION = Check(name="mean_reversion", row=WorstPlaces, run=_run, say=_say)
