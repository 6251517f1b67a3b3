"""Sentences about effects: the only place where a finding becomes words."""

from areaeffect.wording.headlines import (
    HEADLINE_WORDS,
    balance_title,
    chart_title,
    effects_title,
    headline,
    map_title,
    overall,
    placebo_title,
    verdict_name,
)
from areaeffect.wording.sentences import (
    CHECK_WARNS,
    additive_companion,
    can_say,
    cannot_say,
    family_title,
    group_title,
    main_findings,
    name_of,
    reason,
    sentence,
)
from areaeffect.wording.short import answer, in_one_hundred, in_short, listed, quote, when

__all__ = [
    "CHECK_WARNS",
    "HEADLINE_WORDS",
    "additive_companion",
    "answer",
    "balance_title",
    "can_say",
    "cannot_say",
    "chart_title",
    "effects_title",
    "family_title",
    "group_title",
    "headline",
    "in_one_hundred",
    "in_short",
    "listed",
    "main_findings",
    "map_title",
    "name_of",
    "overall",
    "placebo_title",
    "quote",
    "reason",
    "sentence",
    "verdict_name",
    "when",
]
