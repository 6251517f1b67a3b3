"""Bunching at the cut: whether scores pile up on the side that is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.checks.base import Answer, Check, CheckInputs, CheckStatus, p_words
from areaeffect.checks.discontinuity import has_rule, line_of
from areaeffect.estimate.discontinuity import FEWEST, bunching_at
from areaeffect.records import described
from areaeffect.results import Floats
from areaeffect.wording.numbers import phrase

_ALPHA = 0.05
_EVEN = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Density:
    """The density of the score on both sides of the cut."""

    chosen: float = described("density at the cut on the chosen side: share of places by unit")
    beyond: float = described("the same beyond the cut")
    bandwidth: float = described("largest distance from the cut that is read")
    p_value: float = described("two-sided p-value of equal densities")


Found = Answer[Density, Density]


def _run(inputs: CheckInputs) -> list[Found]:
    """Compare the density of the score on both sides of the cut, over all ranked places."""
    line = line_of(inputs)
    if line is None:
        return []
    cut = float(line.distance[0] + line.rule.score[line.places[0]])
    distance = cut - line.rule.score
    is_rank = evenly_spaced(line.rule.score)
    found = None if is_rank else bunching_at(distance)
    if found is None:
        why = phrase("check_bunching.rank") if is_rank else phrase("check_discontinuity.too_few", n=FEWEST)
        return [s.silent(why) for s in inputs.changes()]
    row = Density(chosen=found.above, beyond=found.below, bandwidth=found.bandwidth, p_value=found.p_value)
    status = CheckStatus.WARNS if found.p_value <= _ALPHA and found.above > found.below else CheckStatus.HOLDS
    return [s.answer(status, row, row) for s in inputs.changes()]


def evenly_spaced(score: Floats) -> bool:
    """Tell whether sorted scores are a rank: the same distance from each to the next."""
    gaps = np.diff(np.unique(score))
    return bool(len(gaps) and np.ptp(gaps) <= _EVEN * gaps.max())


def _say(a: Found, n: Density) -> str:
    key = "warns" if a.status is CheckStatus.WARNS else "holds"
    return phrase(f"check_bunching.{key}", p=p_words(n.p_value))


BUNCHING = Check(name="bunching", row=Density, run=_run, say=_say, concerns=has_rule, why="no_rule")
