"""A row for each outcome family that a study has no outcome for: not estimable, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.outcomes import FAMILIES, estimand
from areaeffect.results import (
    ALL_INITIATIVES,
    Annex,
    Claim,
    Column,
    DataTable,
    Finding,
    Form,
    Verdict,
)
from areaeffect.sources.police_uk.categories import ALL_CRIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.findings.describe import Evidence
    from areaeffect.findings.finished import Finished
    from areaeffect.panel import Measure, Neighbourhood
    from areaeffect.study.model import Study

_COLUMNS = (
    Column("family", "string", "Outcome family"),
    Column("title", "string", "Its name in print"),
    Column("published_claim", "string", "The kind of claim the 2023 report made for it"),
    Column("level_data", "string", "Data that a claim of level needs"),
    Column("change_data", "string", "Data that a claim of change needs"),
)


def families_without_outcome(evidence: Evidence) -> tuple[Finding, ...]:
    """Return one row a missing family, about all neighbourhoods together.

    The name of the outcome is empty: there is none.
    """
    names, units = evidence.plan.initiatives, evidence.plan.units
    group = names[0] if len(names) == 1 else ALL_INITIATIVES
    found = []
    for key in _missing([o.family for o in evidence.study.outcome]):
        family = FAMILIES[key]
        claim = family.published_claim
        found.append(
            Finding(
                initiative=group,
                group=group,
                neighbourhood=None,
                family=key,
                outcome="",
                label=family.title.lower(),
                claim=Claim(claim),
                form=Form.RATIO,
                estimand=estimand(claim, "ratio", "count"),
                unit="",
                better=None,
                threshold=0.0,
                verdict=Verdict.NOT_ESTIMABLE,
                n_neighbourhoods=len(units),
                n_areas=sum(len(u.areas) for u in units),
                primary=False,
                caveats=(
                    f"the study has no outcome of this family; a {claim} claim needs "
                    f"{family.data_for(claim)}",
                ),
            )
        )
    return tuple(found)


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


@dataclass(frozen=True, slots=True)
class WithoutOutcome:
    """The families that a study has no outcome for."""

    families: tuple[str, ...]


def families_step(finished: Finished) -> Annex[WithoutOutcome] | None:
    """List the families without an outcome, and what data would make each estimable."""
    missing = _missing([o.family for o in finished.file.study.outcome])
    if not missing:
        return None
    rows = tuple(
        (f.key, f.title, f.published_claim, f.level_data, f.change_data)
        for f in (FAMILIES[key] for key in missing)
    )
    title = "Families without an outcome, and the data each needs"
    table = DataTable("families_without_outcome", title, _COLUMNS, rows)
    return Annex("families_without_outcome", WithoutOutcome(missing), (table,))


def _missing(families: Sequence[str]) -> tuple[str, ...]:
    return tuple(key for key in FAMILIES if key not in families)
