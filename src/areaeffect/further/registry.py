"""Further questions of a study, in the order they are asked and printed: one line each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from areaeffect.assembly.assemble import Assembled
from areaeffect.checks.base import Checked
from areaeffect.checks.registry import checks_step
from areaeffect.checks.section import checks_section
from areaeffect.errors import Faults
from areaeffect.findings.case import Finished, Further
from areaeffect.further.crosscheck import Estimators, crosscheck_section, crosscheck_step
from areaeffect.further.effect_forms import Forms, effect_forms, effect_forms_section
from areaeffect.further.event_time import OverTime, event_time
from areaeffect.further.event_time_section import event_time_section
from areaeffect.further.families import WithoutOutcome, families_step, missing_section
from areaeffect.further.groups import Grouped, check_groups, groups_section, groups_step
from areaeffect.further.misplacement import Suppositions, check_misplaced, misplaced, misplacement_section
from areaeffect.further.more_neighbourhoods import (
    SupposedSize,
    more_neighbourhoods,
    more_neighbourhoods_section,
)
from areaeffect.further.plain_means import Classes, plain_means, plain_means_section
from areaeffect.further.register import (
    BoundaryFit,
    RegisterSummary,
    boundary_fit,
    boundary_fit_section,
    register_annex,
    register_section,
)
from areaeffect.further.source_tables import (
    Listed,
    Suppressed,
    source_tables_step,
    sources_section,
    suppressed,
    suppressed_section,
)
from areaeffect.further.stories import Voices, check_stories, stories_section, stories_step
from areaeffect.multiverse.curves import Branched
from areaeffect.multiverse.section import multiverse_section
from areaeffect.results import Result
from areaeffect.study.file import StudyFile
from areaeffect.survey.step import Surveys, check_surveys, survey_section, survey_step
from areaeffect.value.section import value_section
from areaeffect.value.step import value_annex
from areaeffect.value.worth import ValueSettings

FURTHER: tuple[Further[Any], ...] = (
    Further(name="plain_means", found=Classes, step=plain_means, section=plain_means_section),
    Further(name="effect_forms", found=Forms, step=effect_forms, section=effect_forms_section),
    Further(name="event_time", found=OverTime, step=event_time, section=event_time_section),
    Further(name="groups", found=Grouped, step=groups_step, section=groups_section, check=check_groups),
    Further(name="checks", found=Checked, step=checks_step, section=checks_section),
    Further(
        name="misplacement",
        found=Suppositions,
        step=misplaced,
        section=misplacement_section,
        check=check_misplaced,
    ),
    Further(
        name="more_neighbourhoods",
        found=SupposedSize,
        step=more_neighbourhoods,
        section=more_neighbourhoods_section,
    ),
    Further(name="crosscheck", found=Estimators, step=crosscheck_step, section=crosscheck_section),
    Further(name="multiverse", found=Branched, section=multiverse_section),
    Further(name="boundary_fit", found=BoundaryFit, step=boundary_fit, section=boundary_fit_section),
    Further(name="register", found=RegisterSummary, step=register_annex, section=register_section),
    Further(name="suppressed", found=Suppressed, step=suppressed, section=suppressed_section),
    Further(
        name="families_without_outcome", found=WithoutOutcome, step=families_step, section=missing_section
    ),
    Further(name="value", found=ValueSettings, step=value_annex, section=value_section),
    Further(name="survey", found=Surveys, step=survey_step, section=survey_section, check=check_surveys),
    Further(name="stories", found=Voices, step=stories_step, section=stories_section, check=check_stories),
    Further(name="sources", found=Listed, step=source_tables_step, section=sources_section),
)


def further_inputs(file: StudyFile, data: Assembled | None) -> tuple[str, ...]:
    """Read the inputs of the further questions, so that a fault in one stops the study at once.

    Parameters
    ----------
    file : the study.
    data : its data; None where they cannot be read themselves.

    Returns
    -------
    Remarks on reading: the rows of each file.

    Raises
    ------
    AreaEffectError
        With every fault of every question's input.
    """
    faults, notes = Faults(), list[str]()
    for one in FURTHER:
        if one.check is not None:
            notes += faults.attempt(one.check, file, data) or ()
    faults.raise_all()
    return tuple(notes)


def further(finished: Finished) -> Result:
    """Ask every further question, and return the result with what was found."""
    for one in FURTHER:
        annex = one.step(finished) if one.step is not None else None
        if annex is not None:
            result = finished.result
            finished = replace(finished, result=replace(result, annexes=(*result.annexes, annex)))
    return finished.result
