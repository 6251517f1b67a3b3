"""What a study may say of its design and its analysis, of value, surveys and stories."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from areaeffect.outcomes import FAMILIES, FamilyName
from areaeffect.periods import kind_of, parse_period
from areaeffect.study.parts import ColumnText, Part, PeriodText

EstimatorName = Literal[
    "counterfactual", "callaway_santanna", "synthetic_did", "imputation", "random_timing", "poisson"
]


def _in_order(looks: tuple[str, ...]) -> tuple[str, ...]:
    kinds = {kind_of(text) for text in looks}
    at = [parse_period(text, kind) or 0 for kind in kinds if kind for text in looks]
    if len(kinds) > 1 or any(later <= one for one, later in pairwise(at)):
        raise ValueError("looks are last periods written alike, ascending: ['2027-03', '2028-03']")
    return looks


Looks = Annotated[tuple[PeriodText, ...], AfterValidator(_in_order)]


class AddedLooks(Part):
    """Looks written down after a plan was sealed, in `looks.toml` beside its design.json."""

    dated: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="day on which they were written down")
    seal: str = Field(pattern=r"^[0-9a-f]{64}$", description="seal of the plan that they belong to")
    looks: Looks = Field(min_length=1, description="as `looks` of [analysis]")


class Analysis(Part):
    """How uncertainty is measured."""

    placebos: int = Field(
        default=999, ge=39, le=99_999, description="placebo programmes; under 39 give no interval"
    )
    looks: Looks = Field(
        default=(),
        description="last period of the data at each planned analysis: ['2027-03', '2028-03']; they share "
        "the error of 5%",
    )
    also_with: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="also give what this many neighbourhoods could detect, as in a whole programme",
    )
    placebo_neighbourhoods: str | None = Field(
        default=None, description="'source.column' whose values are the pseudo-neighbourhoods"
    )
    event_time_months: Literal[3, 6, 12] = Field(
        default=12, description="months that one step of the effect over time adds up"
    )
    groups: tuple[str, ...] = Field(
        default=(), description="separate findings by 'start', 'resident_led' or a column of the areas file"
    )
    estimators: tuple[EstimatorName, ...] = Field(
        default=("counterfactual",),
        description="'counterfactual' is the main estimator; the others are cross-checks "
        "(extra `crosscheck`)",
    )
    checks: bool = Field(
        default=True, description="run the falsification tests: leads, rings, earlier starts, …"
    )
    rings_km: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        default=(0.5, 1.0, 2.0),
        min_length=1,
        description="outer edges of the rings in which spill-over is looked for, ascending",
    )
    linearised: bool = Field(default=False, description="add the linearised companion interval")

    @model_validator(mode="after")
    def _has_rings_in_order(self) -> Self:
        if list(self.rings_km) != sorted(set(self.rings_km)):
            raise ValueError("rings_km are outer edges, each further out than the one before: [0.5, 1, 2]")
        return self


class PlainMeans(Part):
    """Unadjusted means beside those of other areas with the same mix of classes."""

    by: ColumnText = Field(description="'source.column' with the classes: a decile, a region")
    label: str = Field(min_length=1, description="what the classes are, in print")
    also: tuple[ColumnText, ...] = Field(
        default=(), description="further 'source.column' to show beside the level outcomes"
    )


#: The share of a mix that no unit cost is put on.
NOT_VALUED = "not_valued"
#: Every crime, which anti-social behaviour is not: its incidents are no notifiable offences.
ALL_CRIME = "all_crime"
_TOLERANCE = 1e-6


def _sums_to_one(mix: dict[str, float]) -> dict[str, float]:
    total = sum(mix.values())
    if abs(total - 1.0) > _TOLERANCE:
        raise ValueError(f"the shares of a mix must add up to 1, and these add up to {total:g}")
    return mix


Share = Annotated[float, Field(ge=0, le=1)]
Mix = Annotated[dict[str, Share], Field(min_length=1), AfterValidator(_sums_to_one)]
PriceYear = Annotated[str, Field(pattern=r"^(19|20)\d{2}(/\d{2})?$")]


class ValuePart(Part):
    """What avoided incidents are worth: unit costs, prices, discounting and funding."""

    price_year: PriceYear = Field(description="year in whose prices all is given: '2024'")
    discount_rate: float = Field(default=0.035, ge=0, lt=1, description="a year; 0.035 is the Green Book's")
    costs: str = Field(
        description="CSV of the study's own unit costs, each with price year, status and source"
    )
    mix: dict[str, Mix] = Field(
        default_factory=dict,
        description="category to shares of its unit costs, and `not_valued`; adding up to 1",
    )
    funding: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="initiative to its funding, in the currency of the costs"
    )
    funding_prices: PriceYear | None = Field(
        default=None, description="year in whose prices funding is given"
    )

    @model_validator(mode="after")
    def _funding_has_prices(self) -> Self:
        if self.funding and self.funding_prices is None:
            raise ValueError("`funding` has no price year; write `funding_prices`")
        return self


class Item(Part):
    """One question of a survey, answered on a scale of whole or broken numbers."""

    column: str = Field(min_length=1, description="column with the answers")
    lowest: float = Field(description="number of the answer at the lower end")
    highest: float = Field(description="number of the answer at the upper end")
    reverse: bool = Field(default=False, description="the lower end is the better one (it becomes 100)")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if self.highest <= self.lowest:
            raise ValueError(f"the scale of '{self.column}' ends ({self.highest:g}) before it begins")
        return self


class Survey(Part):
    """Answers of people, one row a person, with their area."""

    path: str = Field(description="CSV or Parquet: one row a respondent")
    area: str = Field(description="column with the area code")
    items: tuple[Item, ...] = Field(min_length=1, description="questions that form the scale")
    least_items: int = Field(default=1, ge=1, description="answers a respondent needs to count in the scale")
    missing: tuple[str, ...] = Field(default=("",), description="values that mean no answer: '-9', 'refused'")
    label: str = Field(default="", description="name of the scale in print")
    family: FamilyName = Field(
        default="social_relationships", description="which of the six families it belongs to"
    )
    weight: str | None = Field(default=None, description="column with the survey weight")
    cluster: str | None = Field(
        default=None, description="column with the sampling cluster; default the area"
    )
    wave: str | None = Field(default=None, description="column with the wave, as a period")
    before: str | None = Field(default=None, description="the wave before every start")
    after: str | None = Field(default=None, description="the wave after every start")

    @model_validator(mode="after")
    def _waves_belong_together(self) -> Self:
        given = [self.wave is not None, self.before is not None, self.after is not None]
        if any(given) and not all(given):
            raise ValueError("give `wave`, `before` and `after` together, or none of them")
        if self.least_items > len(self.items):
            raise ValueError(f"least_items is {self.least_items}, and there are {len(self.items)} items")
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """Files that the study names for this survey."""
        return (self.path,)


class Stories(Part):
    """What people say, beside the numbers and never a part of them."""

    events: str | None = Field(default=None, description="CSV: date, neighbourhood, what happened")
    folder: str | None = Field(default=None, description="folder of case studies, one .md each")
    themes: dict[str, str] = Field(
        default_factory=dict,
        description="themes of the theory of change, and the outcome family each speaks of",
    )

    @model_validator(mode="after")
    def _themes_have_families(self) -> Self:
        if self.events is None and self.folder is None:
            raise ValueError("give `events` (a CSV file), `folder` (of .md files), or both")
        for theme, family in self.themes.items():
            if family not in FAMILIES:
                raise ValueError(f"theme '{theme}' names family '{family}'; allowed: {', '.join(FAMILIES)}")
        return self


#: Matches of each treated area where places were chosen by a score, unless the study says more.
PLACED_RATIO = 60


class Covariate(Part):
    """A characteristic of areas that benchmark areas must share."""

    column: ColumnText = Field(description="'source.column'")
    as_of: PeriodText | None = Field(default=None, description="the date it describes")


def _covariate(value: object) -> object:
    return {"column": value} if isinstance(value, str) else value


class Exclusion(Part):
    """Areas that may not serve as benchmark areas, and why."""

    column: ColumnText = Field(description="'source.column'")
    values: tuple[str, ...] = Field(min_length=1, description="values of areas to leave out")
    reason: str = Field(min_length=1, description="why, as the report prints it")


class Only(Part):
    """A rule that benchmark areas must keep to: named values, or a range of numbers.

    With neither values nor an end of a range, it is the treated areas' own range (numbers) or
    own values (text): a deprivation band, a region, a police force.
    """

    column: ColumnText = Field(description="'source.column'")
    values: tuple[str, ...] = Field(default=(), min_length=1, description="values that may serve")
    low: float | None = Field(default=None, description="smallest number that may serve")
    high: float | None = Field(default=None, description="largest number that may serve")

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if self.values and (self.low is not None or self.high is not None):
            raise ValueError("give either values, or low and high")
        if self.low is not None and self.high is not None and self.high < self.low:
            raise ValueError(f"the range ends ({self.high:g}) before it begins ({self.low:g})")
        return self


class Cap(Part):
    """The most places of one group that the rule of placement takes."""

    by: ColumnText = Field(description="'source.column' of the group: the authority")
    at_most: int = Field(ge=1, description="places of one group that are taken")


class DesignPart(Part):
    """How benchmark areas are chosen."""

    unit: Literal["neighbourhood", "programme"] = Field(
        default="neighbourhood", description="one set of weights each, or one for all treated areas"
    )
    covariates: tuple[Annotated[Covariate, BeforeValidator(_covariate)], ...] = Field(
        default=(), description="what benchmark areas must share: 'source.column', with its date"
    )
    history: Literal["12-month blocks", "every period"] = Field(
        default="12-month blocks", description="outcomes before the start that they must share"
    )
    nearest: int = Field(default=60, ge=0, description="nearest areas of each treated one; 0: whole pool")
    common_support: bool = Field(
        default=True, description="leave out areas outside the treated areas' range before the start"
    )
    last_to_start: Literal["treated", "benchmark"] = Field(
        default="treated",
        description="benchmark: where no area stays untreated, those that start last serve as "
        "benchmark areas, and the periods from their start on are not used",
    )
    exclude: tuple[Exclusion, ...] = Field(
        default=(), description="areas that may not serve as benchmark areas"
    )
    only: tuple[Only, ...] = Field(
        default=(), description="rules that benchmark areas must keep to: a deprivation band, …"
    )
    exact: tuple[ColumnText, ...] = Field(
        default=(), description="'source.column' whose value a benchmark area must share"
    )
    calibration: Literal["chi-square", "entropy", "none"] = Field(
        default="chi-square",
        description="distance from equal weights that is kept small; none: matched areas only",
    )
    ratio: int = Field(default=5, ge=1, description="matches of each treated area, where calibration is none")

    score: ColumnText | None = Field(
        default=None,
        description="'source.column' by whose rank places were chosen; it becomes a covariate, and "
        "`calibration` is 'none' with `ratio` 60 unless they are given",
    )
    chosen: str | None = Field(
        default=None,
        pattern=r"^(lowest|highest) [1-9][0-9]*$",
        description="which places: 'lowest 150', 'highest 40'",
    )
    cap: Cap | None = Field(
        default=None, description='the most places of one group: { by = "…", at_most = 3 }'
    )

    @property
    def takes_highest(self) -> bool:
        """Whether the places with the highest scores were chosen."""
        return (self.chosen or "").startswith("highest")

    @property
    def n_chosen(self) -> int:
        """How many places the rule takes; 0 without one."""
        return int(self.chosen.split()[1]) if self.chosen else 0

    @model_validator(mode="before")
    @classmethod
    def _is_matched_near_the_cut(cls, given: object) -> object:
        """Match on the score, and leave what matching cannot reach to the regression.

        The places chosen are the extreme of a rank: weights that reach their mean rest on the few
        areas beyond the cut that look most like them, and on what those areas share.
        """
        if not isinstance(given, dict) or "score" not in given:
            return given
        score, listed = given["score"], given.get("covariates", ())
        named = [c.get("column") if isinstance(c, dict) else c for c in listed]
        changed = given if score in named else given | {"covariates": [*listed, score]}
        if "calibration" in given:
            return changed
        return {"calibration": "none", "ratio": PLACED_RATIO} | changed

    @model_validator(mode="after")
    def _has_a_whole_rule(self) -> Self:
        if (self.score is None) != (self.chosen is None):
            msg = "score and chosen belong together: score = 'source.column', chosen = 'lowest 150'"
            raise ValueError(msg)
        if self.cap is not None and self.score is None:
            raise ValueError("cap belongs to a rule of placement: give score and chosen too")
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.calibration != "none" and "ratio" in self.model_fields_set:
            raise ValueError("ratio belongs to calibration = 'none' (matched areas only)")
        return self
