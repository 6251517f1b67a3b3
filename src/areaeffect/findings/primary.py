"""Which outcomes a study is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.sources.police_uk.categories import ALL_CRIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.study.model import Study


def primary_outcomes(
    study: Study, measures: Sequence[Measure], units: Sequence[Neighbourhood]
) -> tuple[tuple[bool, ...], tuple[str, ...]]:
    """Return which outcomes a study is judged by, and remarks on what was settled for it.

    An outcome says so itself (`primary`). Where it does not, it is primary unless it is part of
    another outcome of its family, source and claim: its categories are among the other's, or, in
    tables without categories, its counts before the first start are nowhere above the other's.
    """
    found, notes = [], []
    for o, outcome in enumerate(study.outcome):
        whole = None
        if outcome.primary is None and outcome.should_move:
            others = (k for k in range(len(study.outcome)) if k != o)
            whole = next((k for k in others if _is_part(study, measures, units, o, k)), None)
        if whole is not None:
            notes.append(
                f"{outcome.title} is part of {study.outcome[whole].title}, which the study is "
                "judged by: it is described, with no verdict of its own. Write `primary = true` "
                "or `false` at an outcome to settle it otherwise."
            )
        found.append(outcome.primary is not False and outcome.should_move and whole is None)
    return tuple(found), tuple(notes)


def _is_part(
    study: Study, measures: Sequence[Measure], units: Sequence[Neighbourhood], part: int, whole: int
) -> bool:
    """Tell whether one outcome is part of another."""
    one, other = study.outcome[part], study.outcome[whole]
    if other.primary is False or not other.should_move or "score" in {one.kind, other.kind}:
        return False
    if (one.family, one.source, one.claim) != (other.family, other.source, other.claim):
        return False
    if one.category or other.category:
        every = not other.category or ALL_CRIME in other.category
        kinds = set(one.category) - {ALL_CRIME}
        return bool(kinds) and (every or kinds < set(other.category))
    mine, theirs = measures[part], measures[whole]
    if mine.values.shape != theirs.values.shape or one.claim != "change":
        return False
    before = min(theirs.periods.split(u.start, u.start_kind)[0].stop for u in units)
    counts, total = mine.values[:, :before], theirs.values[:, :before]
    known = np.isfinite(counts) & np.isfinite(total)
    inside = bool(known.any() and (counts[known] <= total[known]).all())
    return inside and float(counts[known].sum()) < float(total[known].sum())
