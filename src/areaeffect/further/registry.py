"""Further questions of a study, in the order they are asked: one line each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.checks.step import checks_step
from areaeffect.findings.families import families_step
from areaeffect.findings.finished import Finished
from areaeffect.further.boundary_fit import boundary_fit
from areaeffect.further.crosscheck import crosscheck_step
from areaeffect.further.effect_forms import effect_forms
from areaeffect.further.event_time import event_time
from areaeffect.further.groups import groups_step
from areaeffect.further.misplacement import misplaced
from areaeffect.further.more_neighbourhoods import more_neighbourhoods
from areaeffect.further.plain_means import plain_means
from areaeffect.further.register import register_annex
from areaeffect.further.source_tables import source_tables_step
from areaeffect.further.stories import stories_step
from areaeffect.further.suppressed import suppressed
from areaeffect.survey.step import survey_step
from areaeffect.value.step import value_annex

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.results import Annex, Result


#: In the order they are taken; each returns None where the study does not ask for it.
STEPS: tuple[Callable[[Finished], Annex | None], ...] = (
    plain_means,
    effect_forms,
    event_time,
    groups_step,
    checks_step,
    misplaced,
    more_neighbourhoods,
    crosscheck_step,
    boundary_fit,
    register_annex,
    suppressed,
    families_step,
    value_annex,
    survey_step,
    stories_step,
    source_tables_step,
)


def further(finished: Finished) -> Result:
    """Take every further step, and return the result with what they found."""
    for step in STEPS:
        annex = step(finished)
        if annex is not None:
            result = finished.result
            finished = replace(finished, result=replace(result, annexes=(*result.annexes, annex)))
    return finished.result
