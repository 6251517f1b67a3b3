"""A finding for each family without an outcome in the study: not estimable, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.outcomes import FAMILIES, estimand
from areaeffect.results import ALL_INITIATIVES, Claim, Finding, Form, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.findings.case import Evidence


def families_without_outcome(evidence: Evidence) -> tuple[Finding, ...]:
    """Return a finding for each missing family, about all neighbourhoods, without an outcome."""
    names, units = evidence.plan.initiatives, evidence.plan.units
    group = names[0] if len(names) == 1 else ALL_INITIATIVES
    found = []
    for key in missing_families([o.family for o in evidence.study.outcome]):
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


def missing_families(families: Sequence[str]) -> tuple[str, ...]:
    """Return the families that no outcome belongs to, in the order of the published study."""
    return tuple(key for key in FAMILIES if key not in families)
