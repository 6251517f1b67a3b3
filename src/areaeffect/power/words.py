"""What a power calculation found, in words and tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.results import Column, DataTable
from areaeffect.wording.numbers import known, number

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The effect on a ratio that a reader is told the needed number of neighbourhoods for.
TARGET = 0.1


@dataclass(frozen=True, slots=True)
class PowerRow:
    """The smallest effect one outcome could show with some neighbourhoods and follow-up.

    Parameters
    ----------
    outcome, label, family, claim, form, better, threshold : as in a finding.
    group : the initiative whose own neighbourhoods these are; empty for a point of the curve.
    n : neighbourhoods.
    years : follow-up in steps (years); None for a level, which has its latest year.
    as_planned : whether each place is followed for as long as the study follows it.
    basis : 'measured', 'extrapolated' or 'not estimable'.
    mde : smallest effect seen in 80% of studies at 5%, signed: fractions for ratios.
    deviation : of the placebo effects, on the log scale for ratios.
    p_little : probability of `little difference` if nothing had changed.
    draws : placebo programmes behind it.
    growth, growth_is_fitted : the power by which the deviation was made to grow with the
        follow-up, where it is extrapolated.
    """

    outcome: str
    label: str
    family: str
    claim: str
    form: str
    better: str
    threshold: float
    group: str
    n: int
    years: float | None = None
    as_planned: bool = False
    basis: str = "not estimable"
    mde: float | None = None
    deviation: float | None = None
    p_little: float | None = None
    draws: int = 0
    growth: float | None = None
    growth_is_fitted: bool = False


@dataclass(frozen=True, slots=True)
class PowerReport:
    """What a study could see.

    Parameters
    ----------
    title : of the study.
    step : what a step of follow-up is: 'year', 'period', or '4 periods'.
    history, planned, measured : steps before the first start, of the longest follow-up, and of
        follow-up that fits before the start, where it can be measured.
    left_out : numbers of neighbourhoods that the pool holds too few placebos of.
    rows : by outcome, number and length.
    """

    title: str
    step: str
    history: int
    planned: int
    measured: int
    left_out: tuple[int, ...]
    rows: tuple[PowerRow, ...]

    @property
    def real(self) -> list[PowerRow]:
        """The planned study itself: one row an initiative and outcome."""
        return [r for r in self.rows if r.group and r.as_planned]

    def curve(self, outcome: str) -> list[PowerRow]:
        """The smallest effect by number of neighbourhoods, followed as planned."""
        found = [r for r in self.rows if r.outcome == outcome and r.as_planned and not r.group]
        return sorted(found, key=lambda r: r.n)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"sentences": sentences(self), "warnings": warnings(self)}

    def text(self) -> str:
        """Return the report as lines to read."""
        lines = [f"{self.title}: what this study could see.", ""]
        lines += [f"  {s}" for s in sentences(self)]
        if warnings(self):
            lines += ["", "Look at:", *(f"  {w}" for w in warnings(self))]
        return "\n".join(lines)


def sentences(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome what it could see, and what it would take to see more."""
    return [_sentence(report, row) for row in report.real]


def _sentence(report: PowerReport, row: PowerRow) -> str:
    places = "this 1 neighbourhood" if row.n == 1 else f"these {row.n} neighbourhoods"
    if row.mde is None:
        why = (
            f"the history holds only {report.history} whole {_steps(report, report.history)} "
            "before the start, too little to try the design on"
            if not report.measured and row.claim == "change"
            else "too few placebo programmes could be drawn from the pool"
        )
        return f"{row.group}, {row.label}: not estimable, because {why}."
    what = "a difference" if row.claim == "level" else _move(row.better)
    said = (
        f"{row.group}, {row.label}: with {places}{_followed(report, row)} you would see {what} "
        f"of {_size(row.mde, row)} or more"
    )
    said += " (extrapolated)" if row.basis == "extrapolated" else ""
    return f"{said}; {_needed_words(report, row)}{_little_words(row)}."


def in_brief(report: PowerReport) -> list[str]:
    """Say for each initiative and outcome the smallest effect alone, and the draws behind it."""
    said = []
    for row in report.real:
        if row.mde is None:
            said.append(_sentence(report, row))
            continue
        what = "a difference" if row.claim == "level" else _move(row.better)
        drawn = f"{row.draws} placebo programmes before the start"
        far = ", extrapolated to the whole follow-up" if row.basis == "extrapolated" else ""
        said.append(
            f"{row.group}, {row.label}: {what} of {_size(row.mde, row)} or more ({drawn}{far})"
        )
    return said


def _followed(report: PowerReport, row: PowerRow) -> str:
    if row.years is None:
        return ""
    length = f"{row.years:.1f}".removesuffix(".0")
    return f", followed for {length} {_steps(report, row.years)} on average,"


def _needed_words(report: PowerReport, row: PowerRow) -> str:
    target = TARGET if row.form == "ratio" else row.threshold
    need, beyond = needed(report.curve(row.outcome), target)
    goal = f"to see {_size(target, row)}"
    if need is None:
        return f"how many it takes {goal} cannot be told"
    if need <= 1:
        return f"{goal} one neighbourhood is enough"
    return f"{goal} you need about {need}" + (" (beyond what was drawn)" if beyond else "")


def _little_words(row: PowerRow) -> str:
    if row.p_little is None or row.threshold <= 0:
        return ""
    return (
        f"; if nothing had changed, the verdict would be 'little difference' (within "
        f"{_size(row.threshold, row)}) with probability {row.p_little:.2f}"
    )


def needed(curve: Sequence[PowerRow], target: float) -> tuple[int | None, bool]:
    """Return how many neighbourhoods see an effect of the target's size, and if extrapolated.

    Between the curve's points by straight lines on logarithms of both; beyond the last by
    1 / sqrt(n), the law of independent places.
    """
    known_rows = [(r.n, abs(r.mde)) for r in curve if r.mde is not None and known(r.mde)]
    if not known_rows or target <= 0:
        return None, False
    n = np.log([k for k, _ in known_rows])
    mde = np.minimum.accumulate(np.log([m for _, m in known_rows]))
    goal = np.log(target)
    if mde[0] <= goal:
        return int(known_rows[0][0]), False
    if mde[-1] > goal:
        return int(np.ceil(np.exp(n[-1] + 2 * (mde[-1] - goal)) - 1e-9)), True
    return int(np.ceil(np.exp(np.interp(-goal, -mde, n)) - 1e-9)), False


def warnings(report: PowerReport) -> list[str]:
    """Say what the numbers do not rest on."""
    found = []
    steps = _steps(report, report.history)
    if not report.measured:
        found.append(
            f"The history holds {report.history} whole {steps} before the first start: too short "
            "to try the design on an earlier start, so no change can be judged beforehand."
        )
    else:
        found.append(
            f"Measured with starts moved {report.measured} {_steps(report, report.measured)} back, "
            f"so by designs with {report.history - report.measured} {steps} of history where the "
            f"study has {report.history}: a longer history sees no less, as a rule."
        )
    if 0 < report.measured < report.planned:
        rows = [r for r in report.rows if r.basis == "extrapolated"]
        fitted = {r.growth_is_fitted for r in rows}
        rule = (
            "by a power fitted on the lengths that fit" if fitted == {True}
            else "by the power 0.37 found on London, since one length fits only"
        )  # fmt: skip
        found.append(
            f"Follow-up of more than {report.measured} {_steps(report, report.measured)} does not "
            f"fit before the start: it is extrapolated, the deviation growing with length {rule}."
        )
    if report.left_out:
        counts = ", ".join(str(n) for n in report.left_out)
        found.append(f"The pool holds too few placebo programmes of {counts} neighbourhoods.")
    return found


def table(report: PowerReport) -> DataTable:
    """Return every row, as written."""
    columns = (
        Column("outcome", "string", "short name of the outcome"),
        Column("family", "string", "family of the outcome"),
        Column("claim", "string", "change or level"),
        Column("form", "string", "ratio: fractions; additive: the outcome's unit"),
        Column("group", "string", "initiative whose own neighbourhoods these are; empty: curve"),
        Column("neighbourhoods", "integer", "number of neighbourhoods"),
        Column("follow_up", "number", f"length of follow-up ({report.step}s); empty for a level"),
        Column("as_planned", "boolean", "each place followed as long as the study follows it"),
        Column("basis", "string", "measured, extrapolated or not estimable"),
        Column("smallest_effect", "number", "seen in 80% of studies at 5%, signed"),
        Column("deviation", "number", "standard deviation of placebo effects (log for ratios)"),
        Column("p_little_difference", "number", "probability of that verdict without a change"),
        Column("placebos", "integer", "placebo programmes behind the row"),
        Column("growth", "number", "power by which the deviation grows with the follow-up"),
        Column("growth_is_fitted", "boolean", "fitted here, or assumed"),
    )
    rows = tuple(
        (
            r.outcome, r.family, r.claim, r.form, r.group, r.n, r.years, r.as_planned, r.basis,
            r.mde, r.deviation, r.p_little, r.draws, r.growth, r.growth_is_fitted,
        )
        for r in report.rows
    )  # fmt: skip
    return DataTable("power", "Smallest effects that would be seen", columns, rows)


def _move(better: str) -> str:
    return "a fall" if better == "lower" else "a rise"


def _size(value: float, row: PowerRow) -> str:
    return number(abs(value), row.form, 0 if row.form == "ratio" and abs(value) >= TARGET else 1)


def _steps(report: PowerReport, n: float) -> str:
    """Name the steps: years, a table's own periods, or steps of several of them."""
    if report.step in ("year", "period"):
        return report.step if n == 1 else f"{report.step}s"
    return f"step{'' if n == 1 else 's'} of {report.step}"
