"""The six outcome families of the published study: names, estimands, and what data they need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What a study calls a family: the keys of `FAMILIES`, or 'other', of which nothing is expected.
FamilyName = Literal[
    "crime",
    "antisocial_behaviour",
    "criminal_damage",
    "environment",
    "empty_homes",
    "social_relationships",
    "other",
]

#: Best grade of each kind of claim on the Maryland scale, in What Works Growth's wording.
BEST_GRADE = {"level": 2, "change": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One outcome family."""

    key: str  # name used in studies and tables
    title: str  # name used in print
    question: str  # what a resident asks about it
    published_claim: str  # the kind of claim the 2023 report made for it
    measured_by: str  # what its outcomes usually are
    #: level_data, change_data: what data a claim of each kind needs, and who has them
    level_data: str
    change_data: str

    def data_for(self, claim: str) -> str:
        """Return what data a claim needs."""
        return self.level_data if claim == "level" else self.change_data


_POLICE = (
    "street-level files of data.police.uk (`areaeffect ingest police-uk`), by month since "
    "December 2010, or the force's own counts by area and month"
)

FAMILIES: dict[str, Family] = {
    family.key: family
    for family in (
        Family(
            key="crime",
            title="Crime",
            question="Is there less crime?",
            published_claim="level",
            measured_by="recorded crimes per 1,000 residents, without anti-social behaviour",
            level_data=f"one year of counts by area: {_POLICE}",
            change_data=f"counts by area from years before the start to years after it: {_POLICE}",
        ),
        Family(
            key="antisocial_behaviour",
            title="Anti-social behaviour",
            question="Is there less anti-social behaviour?",
            published_claim="change",
            measured_by="recorded incidents per 1,000 residents",
            level_data=f"one year of counts by area: {_POLICE}",
            change_data=f"counts by area from years before the start to years after it: {_POLICE}",
        ),
        Family(
            key="criminal_damage",
            title="Criminal damage",
            question="Is less being damaged or set on fire?",
            published_claim="change",
            measured_by="recorded criminal damage and arson per 1,000 residents",
            level_data=f"one year of counts by area: {_POLICE}",
            change_data=f"counts by area from years before the start to years after it: {_POLICE}",
        ),
        Family(
            key="environment",
            title="Neighbourhood environment",
            question="Is it a better place to be outdoors?",
            published_claim="level",
            measured_by="a score by area, such as the outdoors sub-domain of the indices of deprivation",
            level_data="one figure by area: a score or indicator of an edition of the indices "
            "of deprivation "
            "(`published`), or the council's own score by area",
            change_data="the same thing measured in the same way by area in several years, "
            "before and after "
            "the start, such as the council's own surveys of streets and litter; editions of the "
            "indices of deprivation are built again each time and must not be subtracted, and "
            "fly-tipping is published by local authority only",
        ),
        Family(
            key="empty_homes",
            title="Empty homes",
            question="Are fewer homes standing empty?",
            published_claim="level",
            measured_by="empty homes per 1,000 dwellings",
            level_data="one count by area: Census 2021 vacant dwellings (`published`), or the "
            "council's own "
            "council-tax extract",
            change_data="the council's own council-tax extract by area and date, before and "
            "after the start: "
            "area, date, dwellings, empty, long-term empty; official series stop at the local "
            "authority",
        ),
        Family(
            key="social_relationships",
            title="Social relationships",
            question="Do people here pull together?",
            published_claim="level",
            measured_by="a mean on a scale of items, such as trust in neighbours",
            level_data="a survey of residents in the initiative's neighbourhoods and in others, "
            "with the area "
            "of each answer; no official measure exists below the local authority, and figures "
            "modelled from the kind of area cannot show what an initiative did",
            change_data="the same survey asked before and after the start, with the area of each answer",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Break:
    """A date from which an official series no longer means what it meant before."""

    month: str  # its first month, '2013-04'
    reason: str  # what changed


#: By family: a change measured across one of these is partly the change of definition.
BREAKS: dict[str, tuple[Break, ...]] = {
    "empty_homes": (
        Break(
            "2013-04",
            "council-tax exemptions for empty homes became discounts that each council sets, so "
            "fewer homes are reported as empty, and each council's count breaks in its own way",
        ),
    )
}


def estimand(claim: str, form: str, kind: str, *, phased: bool = False) -> str:
    """Return the quantity meant by a finding.

    Parameters
    ----------
    claim : 'level', 'change', or 'contrast' between two sides.
    form : 'ratio' or 'additive'.
    kind : 'count' or 'score'.
    phased : whether a phase between the start and the work is left out.
    """
    if claim == "contrast":
        word = "ratio" if form == "ratio" else "difference"
        return f"{word} of the two sides' realised effects, each against its own benchmark areas"
    if claim == "level":
        return "difference from benchmark areas in the latest year, after weighting"
    if form == "ratio":
        what = "ratio of totals"
    else:
        what = f"difference of changes in {'means' if kind == 'score' else 'rates'}"
    since = "the end of their phase-in" if phased else "their start"
    return f"realised effect on these neighbourhoods from {since} on, {what}"
