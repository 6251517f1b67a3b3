"""Planned looks: which of them the data have reached, and at which level it is judged.

A study that is analysed more than once shares its error of 5% out over its looks, as the spending
function of O'Brien and Fleming does (Lan & DeMets 1983, doi 10.1093/biomet/70.3.659). Each look is
a test of its own at what it releases, so that the chance of a false alarm at any look is at most 5%
however the looks depend on each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from areaeffect.assembly.assemble import Assembled
from areaeffect.errors import StudyError
from areaeffect.panel import REASONS, Measure
from areaeffect.period_texts import kind_of, parse_period
from areaeffect.periods import Periods
from areaeffect.results import LEVEL, Floats
from areaeffect.study.file import StudyFile
from areaeffect.wording.numbers import percent, phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One planned analysis of a study that is analysed more than once."""

    #: number, of: which look it is, from 1, and how many are planned; 0 where none is reached.
    number: int
    of: int
    period: str  # last period of its data; the first look's where none is reached.
    error: float  # two-sided error of the look
    spent: float  # error of all looks so far, this one included

    def __str__(self) -> str:
        """Say which look this is, at which level, and what is spent."""
        return phrase(
            "finding.look",
            number=self.number,
            of=self.of,
            period=self.period,
            level=percent(1 - self.error),
            error=share(self.error),
            spent=share(self.spent),
        )


def share(error: float) -> str:
    """Write an error as a percentage with two digits: 0.19%, 0.00000006%."""
    return f"{np.format_float_positional(100 * error, precision=2, fractional=False, trim='-')}%"


def spent(times: Sequence[float], error: float = 1 - LEVEL) -> Floats:
    """Return the two-sided error of each look: (n_looks,), summing to `error`.

    Parameters
    ----------
    times : follow-up at each look, ascending; the last is all of it.
    error : of all looks together.
    """
    from scipy.stats import norm  # heavy

    part = np.asarray(times, dtype=float) / times[-1]
    so_far = 2.0 * norm.sf(norm.isf(error / 2.0) / np.sqrt(part))
    return np.asarray(np.diff(so_far, prepend=0.0))


def to_look(file: StudyFile, data: Assembled) -> tuple[Assembled, Look | None]:
    """Return the data up to the last look that they reach, and that look.

    Later values wait for the next look: whoever runs a study between two looks gets the earlier
    one again, and no test that was not planned. A look is reached when an outcome that is judged has it.

    Raises
    ------
    StudyError
        Where a look lies before what counts as after the first start, or after the window.
    """
    if not file.looks:
        return data, None
    ends = [_month_after(text) for text in file.looks]
    begins = min(kind.first_month(at) for at, kind in (u.counted_from for u in data.neighbourhoods))
    window = file.study.study.window
    where = file.where("analysis.looks")
    if ends[0] <= begins or ends[-1] > _month_after(window.end):
        what = f"looks from {file.looks[0]} to {file.looks[-1]} do not lie between the start and the end."
        fix = f"Each comes after the first start, and none after {window.end}, the end of the window."
        raise StudyError(what, where, fix)
    measures = data.panel.measures
    judged = [o.name for o in file.study.outcome if o.primary is not False and o.should_move]
    reached = max((_known_to(measures[name]) for name in judged), default=0)
    number = sum(end <= reached for end in ends)
    if not number:
        return data, Look(number=0, of=len(ends), period=file.looks[0], error=0.0, spent=0.0)
    errors = spent([end - begins for end in ends])
    look = Look(
        number=number,
        of=len(ends),
        period=file.looks[number - 1],
        error=float(errors[number - 1]),
        spent=float(errors[:number].sum()),
    )
    kept = {name: _until(measure, ends[number - 1]) for name, measure in measures.items()}
    return replace(data, panel=replace(data.panel, measures=kept)), look


def _month_after(text: str) -> int:
    kind = kind_of(text)
    at = parse_period(text, kind) if kind else None
    if kind is None or at is None:  # `PeriodText` has refused it
        raise ValueError(text)
    return kind.first_month(at + 1)


def _known_to(measure: Measure) -> int:
    """Return the month after the last period with a value."""
    seen = np.flatnonzero(measure.observed.any(axis=0))
    return int(_ends(measure.periods)[seen[-1]]) if len(seen) else 0


def _ends(periods: Periods) -> Floats:
    return np.array([periods.kind.first_month(int(o) + 1) for o in periods.ordinals])


def _until(measure: Measure, end: int) -> Measure:
    """Return a measure as if nothing had been published after a look."""
    late = _ends(measure.periods) > end
    n = max(1, int((~late).sum()))  # one period without a value where the first edition comes later
    hidden = measure.hidden and replace(measure.hidden, cells=measure.hidden.cells[:, :n])
    return replace(
        measure,
        periods=replace(measure.periods, n=n),
        values=np.where(late, np.nan, measure.values)[:, :n],
        reasons=np.where(late, np.uint8(REASONS.index("no_row")), measure.reasons)[:, :n],
        hidden=hidden,
    )
