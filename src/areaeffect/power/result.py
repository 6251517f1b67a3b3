"""What a power calculation found."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

_RISE = 1.1  # a smaller rise of the curve can be chance


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerRow:
    """The smallest effect one outcome could show with some neighbourhoods and follow-up."""

    #: outcome, label, family, claim, form, better, threshold: as in a finding
    outcome: str
    label: str
    family: str
    claim: str
    form: str
    better: str
    threshold: float
    group: str  # the initiative whose own neighbourhoods these are; empty for a point of the curve.
    n: int  # neighbourhoods
    years: float | None = None  # follow-up in steps (years); None for a level, which has its latest year.
    as_planned: bool = False  # whether each place is followed for as long as the study follows it
    basis: str = "not estimable"  # 'measured', 'extrapolated' or 'not estimable'
    mde: float | None = None  # smallest effect seen in 80% of studies at 5%, signed: fractions for ratios
    deviation: float | None = None  # of the placebo effects, on the log scale for ratios
    p_little: float | None = None  # probability of `little difference` if nothing had changed
    draws: int = 0  # placebo programmes behind it
    #: growth, growth_is_fitted: the power by which the deviation was made to grow with the follow-up, where
    #: it is extrapolated
    growth: float | None = None
    growth_is_fitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReport:
    """What a study could see."""

    title: str  # of the study
    step: str  # what a step of follow-up is: 'year', 'period', or '4 periods'
    #: history, planned, measured: steps before the first start, of the longest follow-up, and of follow-up
    #: that fits before the start, where it can be measured
    history: int
    planned: int
    measured: int
    left_out: tuple[int, ...]  # numbers of neighbourhoods that the pool holds too few placebos of
    rows: tuple[PowerRow, ...]  # by outcome, number and length
    refused: tuple[str, ...] = ()  # why outcomes of initiatives cannot be estimated; they have no row.

    @property
    def real(self) -> list[PowerRow]:
        """The planned study itself: one row an initiative and outcome."""
        return [r for r in self.rows if r.group and r.as_planned]

    def curve(self, outcome: str) -> list[PowerRow]:
        """The smallest effect by number of neighbourhoods, followed as planned."""
        found = [r for r in self.rows if r.outcome == outcome and r.as_planned and not r.group]
        return sorted(found, key=lambda r: r.n)

    @property
    def rises_from(self) -> int | None:
        """The fewest neighbourhoods from which on more of them would see less; None: nowhere."""
        found = []
        for outcome in dict.fromkeys(r.outcome for r in self.rows):
            rows = [(r.n, abs(r.mde)) for r in self.curve(outcome) if r.mde is not None]
            found += [n for (n, mde), (_, after) in pairwise(rows) if after > _RISE * mde]
        return min(found, default=None)
