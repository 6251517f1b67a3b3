"""Where no area stays untreated: those that start last are benchmark areas until they start."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.periods import label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from areaeffect.panel import Measure
    from areaeffect.register.registered import Registered
    from areaeffect.study.file import StudyFile


def last_as_benchmark(
    file: StudyFile, registered: Registered, measures: Mapping[str, Measure]
) -> tuple[Registered, dict[str, Measure]]:
    """Take the neighbourhoods that start last as untreated, and end every outcome before them.

    The comparisons are then those with areas that are not yet treated (Callaway and Sant'Anna
    2021, doi 10.1016/j.jeconom.2020.12.001, section 2.2, with the last group alone).

    Raises
    ------
    DataError
        Where all start at once, or an outcome has no period between the first and the last start.
    """
    places = registered.neighbourhoods
    starts = [p.start_kind.first_month(p.start) for p in places]
    last = max(starts)
    kept = tuple(p for p, start in zip(places, starts, strict=True) if start < last)
    where = file.where("design.last_to_start")
    if not kept:
        what = "every neighbourhood starts at the same time, so none is untreated while others are."
        raise DataError(Problem(what, where, "Give areas that were never treated."))
    first_of_last = next(p for p, start in zip(places, starts, strict=True) if start == last)
    cut = {}
    for name, m in measures.items():
        before, _ = m.periods.split(first_of_last.start, first_of_last.start_kind)
        if before.stop <= m.periods.split(kept[0].start, kept[0].start_kind)[0].stop:
            what = f"{name} has no period between the first start and the last."
            raise DataError(Problem(what, where, "Give areas that were never treated."))
        cut[name] = replace(
            m,
            periods=replace(m.periods, n=before.stop),
            values=m.values[:, before],
            reasons=m.reasons[:, before],
        )
    begin = label(first_of_last.start, first_of_last.start_kind)
    n = sum(len(p.areas) for p in places) - sum(len(p.areas) for p in kept)
    note = (
        f"No area need stay untreated: the {n} areas that start last, in {begin}, count as "
        f"untreated, and periods from {begin} on are not used."
    )
    return replace(registered, neighbourhoods=kept, notes=(*registered.notes, note)), cut
