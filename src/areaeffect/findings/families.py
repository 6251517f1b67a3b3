"""A row for each outcome family that a study has no outcome for: not estimable, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.outcomes import FAMILIES, estimand
from areaeffect.results import ALL_INITIATIVES, Annex, Column, DataTable, Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.findings.describe import Evidence
    from areaeffect.findings.finished import Finished

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
                claim=claim,
                form="ratio",
                estimand=estimand(claim, "ratio", "count"),
                unit="",
                better="",
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


def families_step(finished: Finished) -> Annex | None:
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
    return Annex("families_without_outcome", {"families": list(missing)}, (table,))


def _missing(families: Sequence[str]) -> tuple[str, ...]:
    return tuple(key for key in FAMILIES if key not in families)
