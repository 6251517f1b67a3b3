"""What findings would be if some of the benchmark areas were in fact treated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.checks.base import EFFECT, NO_FINDING, Check, Status, table
from areaeffect.estimate.verdict import decide
from areaeffect.findings.case import benchmark_of
from areaeffect.results import Form, Verdict

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Ground, Number, Subject
    from areaeffect.results import Finding, Floats, Ints


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
    parts = parts_of(ground, s)
    parts = parts[parts > 0]
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


def parts_of(ground: Ground, s: Subject) -> Floats:
    """Return each area's part in what is expected after the start, (n_areas,); 0 for most."""
    plan = ground.evidence.plan
    arm = next(a for a in plan.machine.arms if s.case.position in a.outcomes)
    weighted = benchmark_of(plan, s.case.position)
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
        None if end is None else effect_if_treated(end, share, is_ratio=ratio)
        for end in (f.low, f.high)
    )
    return decide(replace(f.interval, low=low, high=high), f.threshold, f.better, f.claim)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
