"""What findings would be if some of the benchmark areas were in fact treated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.verdict import decide
from areaeffect.falsify.check import Check, Status
from areaeffect.falsify.treated_benchmark import (
    effect_if_treated,
    rise_needed,
    several,
    shares_of_heaviest,
)
from areaeffect.pipeline.checks.ground import EFFECT, NO_FINDING, table
from areaeffect.pipeline.describe import benchmark_of
from areaeffect.results import Form, Verdict

if TYPE_CHECKING:
    from areaeffect.falsify.check import Answer, Number
    from areaeffect.pipeline.checks.ground import Ground, Subject
    from areaeffect.results import Finding, Floats

#: A verdict that so few treated benchmark areas would change is warned of.
FEW = 5

COLUMNS = {
    "areas_treated": ("integer", "k, benchmark areas that are supposed to have been treated"),
    "share_heaviest": ("number", "share of what is expected that the k heaviest make up"),
    "estimate_heaviest": ("number", f"effect if the k heaviest had had it too: {EFFECT}"),
    "estimate_random": ("number", "effect if k at random had had it too (at their mean share)"),
    "verdict_heaviest": ("string", "verdict if the k heaviest had had it too"),
    "change_needed": (
        "number",
        "by what fraction the k heaviest would have had to stand over what was expected of them "
        "for the whole difference to be theirs",
    ),
}


def treated_benchmark_check(ground: Ground) -> Check:
    """Recompute effects and verdicts for k treated benchmark areas."""
    made = [_answer(ground, s) for s in ground.subjects]
    return Check(
        "treated_benchmark",
        "Benchmark areas that were treated after all",
        "If some of the benchmark areas had had something of the kind too, with the same effect, "
        "how many would it take for the verdict to change?",
        tuple(answer for answer, _ in made),
        table(
            "treated_benchmark",
            "Effects if k benchmark areas had been treated",
            COLUMNS,
            [row for _, rows in made for row in rows],
        ),
    )


def _answer(ground: Ground, s: Subject) -> tuple[Answer, list[tuple[Number, ...]]]:
    f = s.finding
    if f.estimate is None:
        return s.silent(NO_FINDING), []
    parts = _parts(ground, s)
    if len(parts) == 0:
        return s.silent("no benchmark area has a part in what is expected"), []
    shares = shares_of_heaviest(parts)
    verdicts = [_verdict_if_treated(f, float(share)) for share in shares]
    changed = next((k for k, v in enumerate(verdicts, start=1) if v is not f.verdict), None)
    ratio = f.form == "ratio"
    rows: list[tuple[Number, ...]] = []
    for k in several(len(parts)):
        share = float(shares[k - 1])
        needed = rise_needed(f.estimate, share) if ratio else None
        heaviest = _finite(effect_if_treated(f.estimate, share, is_ratio=ratio))
        drawn = _finite(effect_if_treated(f.estimate, float(k / len(parts)), is_ratio=ratio))
        rows.append((*s.row, int(k), share, heaviest, drawn, str(verdicts[k - 1]), needed))
    five = min(FEW, len(parts))
    answer = s.answer(
        Status.WARNS if changed is not None and changed <= FEW else Status.HOLDS,
        changed_by=changed,
        verdict=str(f.verdict),
        verdict_then=None if changed is None else str(verdicts[changed - 1]),
        benchmark_areas=len(parts),
        five=five,
        share=float(shares[five - 1]),
        estimate=_finite(effect_if_treated(f.estimate, float(shares[five - 1]), is_ratio=ratio)),
        change_needed=rise_needed(f.estimate, float(shares[five - 1])) if ratio else None,
    )
    return answer, rows


def _parts(ground: Ground, s: Subject) -> Floats:
    """Return each benchmark area's part in what is expected after the start."""
    plan = ground.evidence.plan
    arm = next(a for a in plan.machine.arms if s.case.position in a.outcomes)
    weighted = benchmark_of(plan, s.case.position)
    parts = np.zeros(len(plan.machine.eligible))
    for g in s.case.units:
        chosen, sums = weighted[g], arm.sums(g, plan.units[g].areas).get(s.case.position)
        if chosen is not None and sums is not None:
            of_area = sums.post[chosen.pool] if s.case.is_ratio else 1.0
            parts[chosen.pool] += chosen.weights * of_area
    return parts[parts > 0]


def _verdict_if_treated(finding: Finding, share: float) -> Verdict:
    """Carry both ends of the printed interval over to the supposed effect, and read its verdict."""
    f = finding
    if f.interval is None or f.better is None or f.held_back or f.verdict is Verdict.DESCRIBED:
        return f.verdict
    ratio = f.form is Form.RATIO
    low, high = (
        None if end is None else effect_if_treated(end, share, is_ratio=ratio)
        for end in (f.low, f.high)
    )
    return decide(replace(f.interval, low=low, high=high), f.threshold, f.better, f.claim)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
