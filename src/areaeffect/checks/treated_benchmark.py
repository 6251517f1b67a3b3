"""Benchmark areas that others reach, and what findings would be if some of them were in fact treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.checks.base import EFFECT, Answer, Check, CheckInputs, Subject, effect
from areaeffect.estimate.inference import decide
from areaeffect.records import described
from areaeffect.results import Bools, Claim, Finding, Floats, Form, Ints, Verdict
from areaeffect.wording.numbers import number, phrase, plural


def shares_of_heaviest(parts: Floats) -> Floats:
    """Return the share of what is expected that comes from the k heaviest areas.

    Parameters
    ----------
    parts : (m,), weight times outcome of each benchmark area, or its weight for scores.

    Returns
    -------
    (m,), for k = 1..m.
    """
    ordered = -np.sort(-parts)
    return np.asarray(np.cumsum(ordered) / ordered.sum())


def effect_if_treated(estimate: float, share: float, *, is_ratio: bool) -> float:
    """Return the effect that would give this estimate if the share had it too.

    Parameters
    ----------
    estimate : a fraction for ratios (-0.2: 20% fewer), else a difference.
    share : of what is expected.
    is_ratio : whether the estimate is a ratio.

    Returns
    -------
    The effect; infinite where so large a share cannot have had it.
    """
    left = 1.0 - share * (1.0 + estimate) if is_ratio else 1.0 - share
    return estimate / left if left > 0 else float(np.copysign(np.inf, estimate))


def rise_needed(estimate: float, share: float) -> float:
    """Return the change of a share of what is expected that would give this ratio by itself.

    0.8 says that those areas would have had to stand 80% above what they were expected to be.
    It is over -1: none can fall below nothing.
    """
    return (1.0 / (1.0 + estimate) - 1.0) / share


def several(n_areas: int) -> Ints:
    """Return the numbers of areas that are tried: 1, 5, 10, a quarter, a half of all."""
    tried = {1, 5, 10, n_areas // 4, n_areas // 2}
    return np.array(sorted(k for k in tried if 1 <= k <= n_areas), dtype=np.int64)


#: A verdict that so few treated benchmark areas would change is warned of.
FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class IfTreated:
    """The effect if k benchmark areas had been treated."""

    areas_treated: int = described("k, benchmark areas that are supposed to have been treated")
    share_heaviest: float = described("share of what is expected that the k heaviest make up")
    estimate_heaviest: float | None = described(f"effect if the k heaviest had had it too: {EFFECT}")
    estimate_random: float | None = described("effect if k at random had had it too (at their mean share)")
    verdict_heaviest: str = described("verdict if the k heaviest had had it too")
    change_needed: float | None = described(
        "by what fraction the k heaviest would have had to stand over what was expected of them "
        "for the whole difference to be theirs"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FewTreated:
    """What a few treated benchmark areas would do to a finding."""

    changed_by: int | None  # how many would change the verdict to `verdict_then`; None where none does.
    verdict: Verdict
    verdict_then: Verdict | None
    #: few, share, estimate, change_needed: as in the table
    few: int
    share: float
    estimate: float | None
    change_needed: float | None


OfTreated = Answer[FewTreated, IfTreated]


def _run(inputs: CheckInputs) -> list[OfTreated]:
    """Recompute effects and verdicts for k treated benchmark areas."""
    return inputs.each(lambda s: _answer(inputs, s), inputs.subjects)


def _answer(inputs: CheckInputs, s: Subject) -> OfTreated:
    f = s.finding
    parts = parts_of(inputs, s)
    parts = parts[parts > 0]
    if len(parts) == 0:
        return s.silent(phrase("check_treated_benchmark.no_part"))
    shares = shares_of_heaviest(parts)
    verdicts = [_verdict_if_treated(f, float(share)) for share in shares]
    changed = next((k for k, v in enumerate(verdicts, start=1) if v is not f.verdict), None)
    supposed = [_supposed(f, k, parts, shares, verdicts) for k in several(len(parts)).tolist()]
    few = min(FEW, len(parts))
    of_few = _supposed(f, few, parts, shares, verdicts)
    numbers = FewTreated(
        changed_by=changed,
        verdict=f.verdict,
        verdict_then=None if changed is None else verdicts[changed - 1],
        few=few,
        share=of_few.share_heaviest,
        estimate=of_few.estimate_heaviest,
        change_needed=of_few.change_needed,
    )
    warns = changed is not None and changed <= FEW
    return s.answer(numbers, *supposed, warns=warns)


def _supposed(f: Finding, k: int, parts: Floats, shares: Floats, verdicts: Sequence[Verdict]) -> IfTreated:
    ratio, share, estimate = f.form is Form.RATIO, float(shares[k - 1]), f.estimate or 0.0
    return IfTreated(
        areas_treated=k,
        share_heaviest=share,
        estimate_heaviest=_finite(effect_if_treated(estimate, share, is_ratio=ratio)),
        estimate_random=_finite(effect_if_treated(estimate, k / len(parts), is_ratio=ratio)),
        verdict_heaviest=str(verdicts[k - 1]),
        change_needed=rise_needed(estimate, share) if ratio else None,
    )


def parts_of(inputs: CheckInputs, s: Subject) -> Floats:
    """Return each area's part in what is expected after the start, (n_areas,); 0 for most."""
    plan = inputs.evidence.plan
    arm = plan.arm_of(s.case.position)
    weighted = plan.benchmark_of(s.case.position)
    parts = np.zeros(len(plan.machine.eligible))
    for g in s.case.units:
        chosen, sums = weighted[g], arm.sums(g, plan.units[g].areas).get(s.case.position)
        if chosen is not None and sums is not None:
            of_area = sums.post[chosen.pool] if s.case.is_ratio else 1.0
            parts[chosen.pool] += chosen.weights * of_area
    return parts


def _verdict_if_treated(finding: Finding, share: float) -> Verdict:
    """Carry both ends of the printed interval over to the supposed effect, and read its verdict."""
    f = finding
    if f.interval is None or f.better is None or f.held_back or f.verdict is Verdict.DESCRIBED:
        return f.verdict
    ratio = f.form is Form.RATIO
    low, high = (
        None if end is None else effect_if_treated(end, share, is_ratio=ratio) for end in (f.low, f.high)
    )
    return decide(replace(f.interval, low=low, high=high), f.threshold, f.better, f.claim)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _say(a: OfTreated, n: FewTreated) -> str:
    level = a.finding.claim is Claim.LEVEL
    then = plural(n.changed_by or 0, "treated benchmark area")
    over = "" if n.change_needed is None else number(abs(n.change_needed), "ratio", 0)
    side = "above" if (n.change_needed or 0.0) > 0 else "below"
    return phrase(
        f"check_treated_benchmark.{'level' if level else 'change'}",
        areas=plural(n.few, "heaviest benchmark area"),
        share=f"{100 * n.share:.0f}%",
        effect=effect(n.estimate, a.finding.form),
        verdict=phrase(
            f"check_treated_benchmark.{'stays' if n.changed_by is None else 'turns'}",
            now=n.verdict,
            then=n.verdict_then,
            areas=then,
        ),
        whole=phrase(f"check_treated_benchmark.{side}", over=over) if over else "",
    )


TREATED_BENCHMARK = Check(name="treated_benchmark", row=IfTreated, run=_run, say=_say)


#: A larger share of weight in or next to other initiatives is warned of.
LIMIT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A benchmark area in, near or next to another initiative."""

    area: str = described("code of the benchmark area")
    weight_share: float = described("its share of all benchmark weight of the finding")
    in_other: bool = described("whether it belongs to another initiative, at whatever time")
    within_buffer: bool = described("whether it lies within the buffer of another initiative")
    touches_other: bool = described("whether it shares a border with another initiative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contaminated:
    """How many benchmark areas other initiatives reach, and with which share of the weight."""

    known: int
    reached: int
    share: float
    with_boundaries: bool


OfContamination = Answer[Contaminated, Reached]


def _contamination_run(inputs: CheckInputs) -> list[OfContamination]:
    """List benchmark areas in, near or next to other initiatives, with their share of weight."""
    others = np.zeros(len(inputs.data.panel.areas), dtype=bool)
    others[inputs.data.others] = True
    marks = _marks(inputs, others)
    return inputs.each(lambda s: _contamination_answer(inputs, s, others, marks), inputs.subjects)


def _marks(inputs: CheckInputs, others: Bools) -> Bools:
    """Return (n_areas, 3): in another initiative, within the buffer of one, touching one."""
    panel, elsewhere = inputs.data.panel, np.flatnonzero(others)
    marks = np.zeros((len(others), 3), dtype=bool)
    marks[:, 0] = others
    for column, graph in ((1, panel.near), (2, panel.contiguity)):
        if graph is not None and len(elsewhere):
            marks[graph.of_any(elsewhere), column] = True
    return marks


def _contamination_answer(inputs: CheckInputs, s: Subject, others: Bools, marks: Bools) -> OfContamination:
    if not inputs.study.register_.others:
        return s.silent(phrase("check_contamination.no_others"))
    weight = _weight(inputs, s, len(others))
    share = weight / weight.sum()
    marked = np.flatnonzero((weight > 0) & marks.any(axis=1))
    rows = [
        Reached(
            area=str(inputs.data.panel.areas[i]),
            weight_share=float(share[i]),
            in_other=bool(marks[i, 0]),
            within_buffer=bool(marks[i, 1]),
            touches_other=bool(marks[i, 2]),
        )
        for i in marked[np.argsort(-share[marked], kind="stable")]
    ]
    numbers = Contaminated(
        known=int(others.sum()),
        reached=len(marked),
        share=float(share[marked].sum()),
        with_boundaries=inputs.data.panel.contiguity is not None,
    )
    return s.answer(numbers, *rows, warns=numbers.share > LIMIT)


def _weight(inputs: CheckInputs, s: Subject, n_areas: int) -> Floats:
    weight = np.zeros(n_areas)
    for g in s.case.units:
        chosen = inputs.evidence.plan.benchmark_of(s.case.position)[g]
        if chosen is not None:
            weight[chosen.pool] += chosen.weights
    return weight


def _contamination_say(_a: OfContamination, n: Contaminated) -> str:
    return phrase(
        f"check_contamination.{'near' if n.with_boundaries else 'inside'}",
        areas=plural(n.reached, "benchmark area"),
        share=f"{100 * n.share:.1f}%",
        known=plural(n.known, "area"),
    )


CONTAMINATION = Check(name="contamination", row=Reached, run=_contamination_run, say=_contamination_say)
