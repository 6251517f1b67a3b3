"""What an evaluation returns: frozen, small, and the same in Python, JSON and the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from areaeffect.records import DataTable, Json, described

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Strings = npt.NDArray[np.str_]
Found = TypeVar("Found")

#: Of a printed interval.
LEVEL = 0.95
ALL_INITIATIVES = "All initiatives"
RESIDENT_LED_CONTRAST = "Resident-led against other initiatives"


class Verdict(StrEnum):
    """What may be said of a finding.

    A change or a contrast is better, worse or little different; a level is higher, lower or alike.
    What is described has an estimate and an interval, and nothing is decided from them: parts of a
    total, and single places of a programme of several.
    """

    BETTER = "better"
    WORSE = "worse"
    LITTLE_DIFFERENCE = "little difference"
    HIGHER = "higher"
    LOWER = "lower"
    ALIKE = "alike"
    CANNOT_TELL = "cannot tell"
    DESCRIBED = "described"
    NOT_ESTIMABLE = "not estimable"


class Claim(StrEnum):
    """What a finding claims: a change, a level, or a contrast between the effects of two sides."""

    CHANGE = "change"
    LEVEL = "level"
    CONTRAST = "contrast"


class Form(StrEnum):
    """How an effect is written: as a fraction of what was expected, or in the outcome's unit."""

    RATIO = "ratio"
    ADDITIVE = "additive"


class Better(StrEnum):
    """Which direction of an outcome is an improvement."""

    LOWER = "lower"
    HIGHER = "higher"


class IntervalKind(StrEnum):
    """What an interval rests on."""

    JOINT = "placebo, all primary outcomes of the group together"
    SINGLE = "placebo, this outcome alone"
    LINEARISED = "linearised"
    CLUSTERED = "cluster-robust"
    BOOTSTRAP = "bootstrap over neighbourhoods"


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A value that could not be computed, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An interval of an effect, with the p-value of the test that it inverts."""

    kind: IntervalKind  # what it rests on
    level: float  # 0.95 for 95%
    #: low, high: its ends, on the scale of its finding; None where there is none.
    low: float | None
    high: float | None
    p_value: float | None  # of no effect
    alternative: str = "two-sided"  # 'two-sided', or the direction of a one-sided p-value

    def times(self, factor: float) -> Interval:
        """Return the interval in other units: both ends multiplied with a positive number."""
        low, high = (None if end is None else end * factor for end in (self.low, self.high))
        return replace(self, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One estimate with everything a sentence about it may say.

    `estimate`, `mde` and `held_out` of a ratio are fractions (-0.201: 20.1% fewer), else in `unit`.
    `held_out` is by a design that did not see the year before the start.
    """

    initiative: str = described("Initiative that was studied")
    group: str = described("Group of neighbourhoods the finding is about")
    neighbourhood: str | None = described("Neighbourhood; empty for the whole group")
    family: str = described("Outcome family")
    outcome: str = described("Short name of the outcome")
    label: str = described("Name of the outcome in print")
    claim: Claim = described("'change', 'level' or 'contrast'")
    form: Form = described("'ratio' (fractions) or 'additive' (in `unit`)")
    estimand: str = described("What the estimate is an estimate of")
    unit: str = described("What one unit of the outcome is")
    better: Better | None = described("Direction that is better")
    threshold: float = described("Smallest effect of interest")
    verdict: Verdict = described("What may be said")
    n_neighbourhoods: int = described("Treated neighbourhoods")
    n_areas: int = described("Treated areas")
    held_back: str = described(
        "Why no more than 'cannot tell' may be said, whatever the interval is; or empty", ""
    )
    estimate: float | None = described("Estimate; empty where not estimable (see caveats)", None)
    #: the one that is printed everywhere and that `verdict` is read from: it holds for all
    #: `n_together` primary outcomes of the group at once.
    interval: Interval | None = None
    n_together: int = described(
        "Primary outcomes of the group that the printed interval holds for at once", 1
    )
    #: that of this outcome alone, for the technical annex.
    single: Interval | None = None
    p_step_down: float | None = described("Step-down p-value among the group's primary outcomes", None)
    bias: float | None = described("Centre of the placebo distribution; not subtracted", None)
    bias_error: float | None = described("Monte Carlo error of that centre", None)
    estimate_centred: float | None = described("Estimate less that centre: a sensitivity", None)
    companions: tuple[Interval, ...] = ()
    mde: float | None = described("Smallest effect whose verdict is found in 80 of 100 such studies", None)
    exaggeration: float | None = described(
        "How many times too large estimates are on average that are found at that effect", None
    )
    held_out: float | None = described("Gap in the last year before the start, by a design without it", None)
    #: of that gap, at 90%.
    held_out_interval: Interval | None = None
    maryland: int | None = described("Maryland scale, What Works Growth wording", None)
    observed: float | None = described("What was observed after the start", None)
    counterfactual: float | None = described("What would have been expected", None)
    avoided: float | None = described("Expected less observed", None)
    n_benchmark_areas: int | None = described("Benchmark areas with weight", None)
    n_effective: float | None = described("Effective number of benchmark areas", None)
    n_disjoint_placebos: int | None = described("Placebo programmes that share no area", None)
    n_disjoint_neighbourhoods: int | None = described("Placebo neighbourhoods that share no area", None)
    placebos: int | None = described("Placebo programmes drawn", None)
    pre: str = described("Periods before the start", "")
    post: str = described("Periods after the start", "")
    primary: bool = described("Whether it gets a verdict; else it is described", True)
    is_one_place: bool = described("Whether the programme is one place", False)
    caveats: tuple[str, ...] = described("Caveats, separated by ' | '", ())
    attribute: str = described("What a finding by attribute goes by; empty for every other", "")

    @property
    def low(self) -> float | None:
        """Lower end of the printed interval."""
        return self.interval.low if self.interval else None

    @property
    def high(self) -> float | None:
        """Upper end of the printed interval."""
        return self.interval.high if self.interval else None

    @property
    def level(self) -> float:
        """Level of the printed interval."""
        return self.interval.level if self.interval else LEVEL

    @property
    def p_value(self) -> float | None:
        """The p-value that goes with the printed interval."""
        return self.interval.p_value if self.interval else None

    def to_dict(self) -> Json:
        """Return plain JSON values, with the ends of the printed interval beside it."""
        flat = {"low": self.low, "high": self.high, "p_value": self.p_value}
        return asdict(self) | flat


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRow:
    """One characteristic before and after weighting.

    `smd_before` and `smd_after` are differences of treated and benchmark means over the
    standard deviation of the treated and pooled areas before matching.
    """

    initiative: str = described("Initiative")
    neighbourhood: str = described("Neighbourhood")
    claim: str = described("'change' or 'level': each has weights of its own")
    covariate: str = described("Characteristic")
    treated_mean: float = described("Mean of the treated areas")
    pool_mean: float = described("Mean of the comparison pool, before weighting")
    benchmark_mean: float = described("Weighted mean of the benchmark areas")
    smd_before: float = described("Standardised mean difference before weighting")
    smd_after: float = described("Standardised mean difference after weighting")
    variance_ratio: float | None = described("Variance of treated over benchmark areas")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourhoodDesign:
    """The benchmark areas of one neighbourhood for one kind of claim, with weights.

    `weights` add up to the number of treated areas; `imbalance` is the largest absolute
    difference from the target in standard deviations, 0 up to rounding where calibration was
    exact.
    """

    initiative: str
    neighbourhood: str
    claim: str
    start: str
    areas: tuple[str, ...]
    benchmark_areas: tuple[str, ...]
    weights: tuple[float, ...]
    n_pool: int
    n_effective: float
    exact: bool
    imbalance: float
    periods_left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Observed and counterfactual path of one outcome for one group or neighbourhood.

    Rates are per `per` of exposure and year (counts) or means (scores). NaN is a gap.
    """

    group: str
    outcome: str
    periods: tuple[str, ...]
    observed: tuple[float | None, ...]
    counterfactual: tuple[float | None, ...]
    start: tuple[str, ...]
    gaps: tuple[str, ...]
    unit: str
    neighbourhood: str = ""


@dataclass(frozen=True, slots=True)
class PlaceboDraws:
    """Placebo estimates of one finding, on the scale of its estimate, in draw order."""

    group: str
    outcome: str
    claim: str
    form: str
    estimates: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaStatus:
    """The part one area plays: treated, benchmark (with weight), or left out and why."""

    area: str = described("Area code")
    name: str = described("Area name")
    role: str = described("Part the area plays")
    reason: str = described("Why it was left out", "")
    initiative: str = described("Initiative", "")
    neighbourhood: str = described("Neighbourhood", "")
    weight: float = described("Weight as a benchmark area", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One input file as it was read."""

    source: str
    file: str
    sha256: str
    rows_read: int
    rows_kept: int
    rows_rejected: int
    licence: str = ""
    attribution: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Cells of one outcome that are missing, grouped for print."""

    source: str = described("Source")
    outcome: str = described("Short name of the outcome")
    group: str = described("Coverage group, such as a police force")
    first: str = described("First missing period")
    last: str = described("Last missing period")
    n_areas: int = described("Areas concerned")
    reason: str = described("Why the cells are missing")


@dataclass(frozen=True, slots=True)
class Seal:
    """The hash of the plan, and what it covers."""

    sha256: str
    covers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Outline of one area for the map: rings of (x, y) in metres."""

    area: str
    rings: tuple[Floats, ...]


@dataclass(frozen=True, slots=True)
class Annex(Generic[Found]):
    """What one further question found (checks, values, a survey): a record and tables."""

    name: str  # of the question; `further.registry` knows how it is asked and printed.
    found: Found  # a frozen record of the question's own
    tables: tuple[DataTable, ...] = ()  # its tables, of names that are unique in the result

    def table(self, name: str) -> DataTable:
        """Return the table of that name."""
        return {t.name: t for t in self.tables}[name]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Result:
    """Everything one evaluation found; the report and the files are views of it.

    `findings` are those of programmes, of all together, of resident-led against others and of
    single neighbourhoods; `by_attribute` those that `analysis.groups` asks for, which no
    adjustment for several findings counts in.
    """

    title: str
    question: str
    findings: tuple[Finding, ...]
    seal: Seal
    designs: tuple[NeighbourhoodDesign, ...]
    balance: tuple[BalanceRow, ...]
    series: tuple[Series, ...]
    placebos: tuple[PlaceboDraws, ...]
    areas: tuple[AreaStatus, ...]
    releases: tuple[Release, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
    plan: Json
    versions: dict[str, str]
    shapes: tuple[Shape, ...] = ()
    annexes: tuple[Annex[Any], ...] = ()
    neighbourhood_series: tuple[Series, ...] = ()
    by_attribute: tuple[Finding, ...] = ()

    def __repr__(self) -> str:
        """Return what it is in one line: a result holds every table of its report."""
        verdicts = ", ".join(f"{f.outcome} {f.verdict}" for f in self.findings[:8])
        return f"Result({self.title!r}, {len(self.findings)} findings: {verdicts})"[:1500]

    @property
    def every_finding(self) -> tuple[Finding, ...]:
        """What findings.json holds, in its order."""
        return (*self.findings, *self.by_attribute)

    def annex(self, name: str) -> Annex[Any] | None:
        """Return what a further step found; None where it was not taken."""
        return next((a for a in self.annexes if a.name == name), None)
