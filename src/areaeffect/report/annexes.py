"""Which builder prints which annex of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.checks.section import checks_section
from areaeffect.document.blocks import Data, Section
from areaeffect.document.data_words import in_words
from areaeffect.further.boundary_fit import boundary_fit_section
from areaeffect.further.crosscheck import crosscheck_section
from areaeffect.further.effect_forms import effect_forms_section
from areaeffect.further.event_time_section import event_time_section
from areaeffect.further.families import missing_section
from areaeffect.further.groups import groups_section
from areaeffect.further.misplacement import misplacement_section
from areaeffect.further.more_neighbourhoods import more_neighbourhoods_section
from areaeffect.further.plain_means import plain_means_section
from areaeffect.further.register import register_section
from areaeffect.further.source_tables import sources_section
from areaeffect.further.stories import stories_section
from areaeffect.further.suppressed import suppressed_section
from areaeffect.multiverse.section import multiverse_section
from areaeffect.survey.section import survey_section
from areaeffect.value.section import value_section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from areaeffect.results import Annex, Result

#: One line an annex, in the order of the report; an annex without a builder prints its tables.
BUILDERS: Mapping[str, Callable[[Result, Annex], Section]] = {
    "plain_means": plain_means_section,
    "effect_forms": effect_forms_section,
    "event_time": event_time_section,
    "groups": groups_section,
    "checks": checks_section,
    "misplacement": misplacement_section,
    "more_neighbourhoods": more_neighbourhoods_section,
    "crosscheck": crosscheck_section,
    "multiverse": multiverse_section,
    "boundary_fit": boundary_fit_section,
    "register": register_section,
    "suppressed": suppressed_section,
    "families_without_outcome": missing_section,
    "value": value_section,
    "survey": survey_section,
    "stories": stories_section,
    "sources": sources_section,
}


def annex_sections(result: Result) -> list[Section]:
    """Return the sections of all annexes, in the order of the registry."""
    order = {name: i for i, name in enumerate(BUILDERS)}
    annexes = sorted(result.annexes, key=lambda a: (order.get(a.name, len(order)), a.name))
    return [BUILDERS.get(a.name, _plain)(result, a) for a in annexes]


def annex_files(result: Result) -> dict[str, str]:
    """Return where each table of the annexes can be downloaded, relative to the page."""
    return {t.name: f"data/{t.name}.csv" for a in result.annexes for t in a.tables}


def _plain(_result: Result, annex: Annex) -> Section:
    key = annex.name.replace("_", "-")
    title = annex.name.replace("_", " ").capitalize()
    return Section(key, title, tuple(Data(in_words(t), t.name) for t in annex.tables))
