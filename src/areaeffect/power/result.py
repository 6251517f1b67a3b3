"""What a power calculation found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    refused : why outcomes of initiatives cannot be estimated; they have no row.
    """

    title: str
    step: str
    history: int
    planned: int
    measured: int
    left_out: tuple[int, ...]
    rows: tuple[PowerRow, ...]
    refused: tuple[str, ...] = ()

    @property
    def real(self) -> list[PowerRow]:
        """The planned study itself: one row an initiative and outcome."""
        return [r for r in self.rows if r.group and r.as_planned]

    def curve(self, outcome: str) -> list[PowerRow]:
        """The smallest effect by number of neighbourhoods, followed as planned."""
        found = [r for r in self.rows if r.outcome == outcome and r.as_planned and not r.group]
        return sorted(found, key=lambda r: r.n)
