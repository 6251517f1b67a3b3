"""Balance at the cut: whether what was known before the start jumps where the score passes it."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc

import numpy as np

from areaeffect.checks.base import Answer, Check, CheckInputs, CheckStatus, p_words
from areaeffect.checks.discontinuity import Line, has_rule, line_of
from areaeffect.estimate.discontinuity import FEWEST, jump_at
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase, plural

_ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class CharacteristicJump:
    """The jump of one characteristic at the cut."""

    characteristic: str = described("what was known before the start")
    jump: float = described("jump at the cut, in standard deviations of the places in line")
    p_value: float = described("two-sided p-value of no jump, robust to its bias")
    joint_p: float = described("the smallest of all, times their number")


@dataclass(frozen=True, slots=True)
class Largest:
    """The characteristic that jumps most clearly, and how many were tried."""

    of: CharacteristicJump
    tried: int


Found = Answer[Largest, CharacteristicJump]


def _run(inputs: CheckInputs) -> list[Found]:
    """Estimate the jump of every characteristic that the design is matched on."""
    line = line_of(inputs)
    if line is None:
        return []
    plan = inputs.evidence.plan
    features = plan.leading.cohort(0, plan.units[0].areas).features
    score = inputs.study.design.score
    is_score = [c.column == score for c in inputs.study.design.covariates]
    tried = {
        name: p
        for k, name in enumerate(features.names)
        if not (k < len(is_score) and is_score[k]) and (p := _jump(line, features.values[:, k])) is not None
    }
    if not tried:
        return [s.silent(phrase("check_discontinuity.too_few", n=FEWEST)) for s in inputs.changes()]
    joint = min(1.0, len(tried) * min(p for _, p in tried.values()))
    rows = tuple(
        CharacteristicJump(characteristic=name, jump=jump, p_value=p, joint_p=joint)
        for name, (jump, p) in tried.items()
    )
    first = Largest(min(rows, key=lambda row: row.p_value), len(rows))
    status = CheckStatus.WARNS if joint <= _ALPHA else CheckStatus.HOLDS
    return [s.answer(status, first, *rows) for s in inputs.changes()]


def _jump(line: Line, values: Floats) -> tuple[float, float] | None:
    """Return the jump in standard deviations and its p-value; None where there is none."""
    mean = line.mean(values)
    known = np.isfinite(mean)
    spread = float(mean[known].std()) if known.any() else 0.0
    jump = jump_at(line.distance[known], mean[known]) if spread > 0 else None
    if jump is None or jump.robust_error <= 0:
        return None
    return jump.corrected / spread, float(erfc(abs(jump.corrected) / jump.robust_error / 2**0.5))


def _say(a: Found, n: Largest) -> str:
    return phrase(
        f"check_cut_balance.{'warns' if a.status is CheckStatus.WARNS else 'holds'}",
        tried=plural(n.tried, "characteristic"),
        name=n.of.characteristic,
        jump=f"{n.of.jump:.2f}",
        p=p_words(n.of.joint_p),
    )


CUT_BALANCE = Check(
    name="cut_balance", row=CharacteristicJump, run=_run, say=_say, concerns=has_rule, why="no_rule"
)
