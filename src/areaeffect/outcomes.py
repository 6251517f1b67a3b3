"""The six outcome families of the published study, and how each is named in print."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """One outcome family.

    Parameters
    ----------
    key : name used in studies and tables.
    title : name used in print.
    question : what a resident asks about it.
    published_claim : the kind of claim the 2023 report made for it.
    """

    key: str
    title: str
    question: str
    published_claim: str


FAMILIES: dict[str, Family] = {
    family.key: family
    for family in (
        Family("crime", "Crime", "Is there less crime?", "level"),
        Family(
            "antisocial_behaviour",
            "Anti-social behaviour",
            "Is there less anti-social behaviour?",
            "change",
        ),
        Family(
            "criminal_damage",
            "Criminal damage",
            "Is less being damaged or set on fire?",
            "change",
        ),
        Family(
            "environment",
            "Neighbourhood environment",
            "Is it a better place to be outdoors?",
            "level",
        ),
        Family("empty_homes", "Empty homes", "Are fewer homes standing empty?", "level"),
        Family(
            "social_relationships",
            "Social relationships",
            "Do people here pull together?",
            "level",
        ),
    )
}
