"""Whether the programme is placed by a rule that its placebo programmes do not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.checks.base import Answer, Check, CheckInputs, CheckStatus, Subject, p_words
from areaeffect.checks.refits import LEVEL, RISE, percentile_among, scores_of
from areaeffect.placebo.programmes import programme_of
from areaeffect.records import described
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.wording.numbers import phrase, three_digits

#: A programme less like its placebos than all but this share of them is warned of.
ALPHA = 0.05
SPREAD, SHARE_IN_ONE, WHOLE_GROUPS = "distance apart", "share in one district", "whole districts"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Placement:
    """How a programme's place compares with those of placebo programmes."""

    names: tuple[str, ...]  # of the q features
    values: Floats  # (q,), of the programme
    medians: Floats  # (q,), of the placebo programmes
    p_values: Floats  # (q,), twice the smaller tail with the +1 correction
    counted_p: Floats  # (q,), the same over the tails that count, one or both; 1 where none does.
    #: how often a placebo programme has a smallest counted p-value as small, with the +1 correction: it holds
    #: for all features at once
    joint_p: float

    @property
    def is_unlike(self) -> bool:
        """Whether the programme is placed as its placebos are not."""
        return self.joint_p <= ALPHA

    @property
    def oddest(self) -> str:
        """The feature in which it is least like them, among those that count."""
        return self.names[int(np.argmin(self.counted_p))] if self.names else ""


def percentiles(values: Floats) -> Floats:
    """Return each value's percentile among the finite ones, 0 to 100; ties share the middle."""
    return percentile_among(values, values[np.isfinite(values)])


def profile(
    members: Sequence[Ints],
    traits: Sequence[Floats],
    centres: Floats | None = None,
    districts: Strings | Ints | None = None,
) -> Floats:
    """Describe where a programme is.

    Parameters
    ----------
    members : the areas of each neighbourhood.
    traits : for each neighbourhood, (n_areas, q): what was known of areas before its start, such
        as the percentile of their level, of their recent rise, of a covariate.
    centres : (n_areas, 2), in metres; None without boundaries.
    districts : (n_areas,), a larger area that each belongs to; None where unknown.

    Returns
    -------
    (q [+ 1] [+ 2],): means over neighbourhoods of the traits; the mean distance between
    neighbourhoods (one neighbourhood: 0); the largest share of areas in one district, and the
    mean share of its district that is in the programme.
    """
    each = np.array([_mean(trait[areas]) for trait, areas in zip(traits, members, strict=True)])
    found = list(_mean(each))
    every = np.concatenate(members)
    if centres is not None:
        points = np.array([centres[areas].mean(axis=0) for areas in members])
        apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
        pairs = len(points) * (len(points) - 1)
        found.append(float(apart.sum() / pairs) if pairs else 0.0)
    if districts is not None:
        named, mine = np.unique(districts[every], return_inverse=True)
        count = np.bincount(mine.ravel())
        size = np.array([(districts == name).sum() for name in named])
        found += [float(count.max() / len(every)), float((count**2 / size).sum() / len(every))]
    return np.array(found)


def _mean(values: Floats) -> Floats:
    """Column means over the known values; NaN where none is known."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0))


def feature_names(traits: Sequence[str], *, centres: bool, districts: bool) -> tuple[str, ...]:
    """Name what `profile` returns, in its order."""
    return (*traits, *([SPREAD] * centres), *([SHARE_IN_ONE, WHOLE_GROUPS] * districts))


def harmful_tails(
    names: Sequence[str], placebos: Floats, effects: Floats, answered: Sequence[str] = ()
) -> Bools:
    """Tell in which tails of which features being unlike the placebos could do harm.

    Parameters
    ----------
    names : of the q features.
    placebos : (n_draws, q), profiles of placebo programmes.
    effects : (n_draws,), their effects, on the scale they are tested on.
    answered : features that another check answers for.

    Returns
    -------
    (q, 2), low and high tail. Distance apart counts where small and the share in one district
    where large; whole districts do not count beside them. Of any other feature the tail counts
    towards which squared placebo effects grow.
    """
    known = np.isfinite(effects)
    squares, rows = effects[known] ** 2, placebos[known]
    found = np.zeros((len(names), 2), dtype=bool)
    for k, name in enumerate(names):
        if name == SPREAD:
            found[k] = (True, False)
        elif name == SHARE_IN_ONE:
            found[k] = (False, True)
        elif name != WHOLE_GROUPS and name not in answered:
            grows = float((squares - squares.mean()) @ rows[:, k]) if len(squares) else 0.0
            found[k] = (grows <= 0, grows >= 0)
    return found


def placement(names: Sequence[str], real: Floats, placebos: Floats, counted: Bools) -> Placement:
    """Compare a programme's profile with those of placebo programmes.

    Parameters
    ----------
    names : of the q features.
    real : (q,), from `profile`.
    placebos : (n_draws, q), of placebo programmes drawn by the generator that its p-value
        rests on.
    counted : (q, 2), the tails that count towards `joint_p`, from `harmful_tails`.

    Notes
    -----
    Each counted feature has a rank p-value. The smallest of them is compared with the smallest of
    each placebo programme ranked in the same way, so that `joint_p` is exact under placement by
    the generator, however the features depend on each other. It cannot see a rule that leaves no
    trace in these features.
    """
    good = np.isfinite(placebos).all(axis=0) & np.isfinite(real)
    kept = tuple(name for name, use in zip(names, good, strict=True) if use)
    if not kept or not len(placebos):
        nothing = np.empty(0)
        return Placement(
            names=(), values=nothing, medians=nothing, p_values=nothing, counted_p=nothing, joint_p=1.0
        )
    stacked = np.vstack([real[good], placebos[:, good]])
    both = _rank_p(stacked, np.ones((len(kept), 2), dtype=bool))
    mine = _rank_p(stacked, counted[good])
    smallest = mine.min(axis=1)
    joint = float((smallest <= smallest[0]).mean())
    medians = np.median(placebos[:, good], axis=0)
    return Placement(
        names=kept, values=real[good], medians=medians, p_values=both[0], counted_p=mine[0], joint_p=joint
    )


def _rank_p(stacked: Floats, counted: Bools) -> Floats:
    """Rank p-values of every row among all rows, column by column, over the counted tails."""
    n = len(stacked)
    found = np.ones_like(stacked)
    for k, (low, high) in enumerate(counted):
        ordered = np.sort(stacked[:, k])
        tails = []
        if low:
            tails.append(np.searchsorted(ordered, stacked[:, k], "right"))
        if high:
            tails.append(n - np.searchsorted(ordered, stacked[:, k], "left"))
        if tails:
            found[:, k] = np.minimum(1.0, len(tails) * np.min(tails, axis=0) / n)
    return found


_FEWEST = 39
_LEVEL, _RISE = "percentile of the level before", "percentile of the latest rise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature of where the neighbourhoods are, against placebo programmes."""

    feature: str = described("what is compared")
    real: float = described("of the real neighbourhoods: mean percentile, kilometres or share")
    placebo_median: float = described("median over placebo programmes")
    p_value: float = described("two-sided rank p-value among placebo programmes")
    counted_p: float = described("over the tails that could do harm, which the warning counts; else 1")
    joint_p: float = described("of the counted ones, for all features at once")


@dataclass(frozen=True, slots=True)
class OddestFeature:
    """The feature least like the placebo programmes, and the tilt of placement (see `tilt`)."""

    of: Feature
    tilt: float | None


OfPlacement = Answer[OddestFeature, Feature]


@dataclass(frozen=True, slots=True, eq=False)
class _Profiles:
    """Where a programme and its placebos are: (q,), (n, q), and the numbers of the n draws."""

    names: tuple[str, ...]
    real: Floats
    placebos: Floats
    numbers: Ints


def _run(inputs: CheckInputs) -> list[OfPlacement]:
    """Compare where the programme is with where its placebo programmes are."""
    found: dict[tuple[int, ...], _Profiles | None] = {}
    answers: list[OfPlacement] = []
    traits = _traits(inputs)
    programmes = _programmes(inputs) if any(s.is_estimated for s in inputs.subjects) else {}
    for s in inputs.subjects:
        if s.is_estimated and s.case.units not in found:
            found[s.case.units] = _profiles(inputs, traits, programmes, s.case.units)
        profiles = found.get(s.case.units)
        if profiles is None:
            why = phrase("check_placement.few_draws") if s.is_estimated else phrase("check.no_finding")
            answers.append(s.silent(why))
            continue
        effects = s.case.statistic(inputs.evidence.drawn[profiles.numbers, :, s.case.position])
        tails = harmful_tails(profiles.names, profiles.placebos, effects, (_LEVEL, _RISE))
        place = placement(profiles.names, profiles.real, profiles.placebos, tails)
        answers.append(_answer(s, place))
    return answers


def _traits(inputs: CheckInputs) -> tuple[tuple[str, ...], list[Floats]]:
    """Return names, and for each unit (n_areas, q) percentiles among all areas."""
    plan, panel = inputs.evidence.plan, inputs.data.panel
    better = [outcome.better for outcome in inputs.study.outcome]
    singles = list(np.arange(len(panel.areas))[:, None])
    changes = plan.leading if plan.leading.claim == "change" else None
    made: dict[int, Floats] = {}
    for g, unit in enumerate(plan.units):
        if unit.start in made:
            continue
        columns = [percentiles(column) for column in panel.covariates.T]
        if changes is not None:
            for kind in (LEVEL, RISE):
                scores = scores_of(changes, better, g, kind, singles)
                columns.append(_mean_percentile(scores))
        shape = (len(panel.areas), len(columns))
        made[unit.start] = np.array(columns, dtype=np.float64).reshape(shape[::-1]).T
    names = tuple(f"percentile of {name}" for name in panel.covariate_names)
    if changes is not None:
        names += (_LEVEL, _RISE)
    return names, [made[u.start] for u in plan.units]


def _mean_percentile(scores: Floats) -> Floats:
    """Mean percentile over outcomes, (n_areas,); NaN where there is no outcome."""
    if not scores.shape[1]:
        return np.full(len(scores), np.nan)
    return np.asarray(np.mean([percentiles(column) for column in scores.T], axis=0))


def _programmes(inputs: CheckInputs) -> dict[int, list[Ints]]:
    """Draw the placebo programmes again, by number; without a design, so cheap."""
    drawn = {
        number: programme_of(inputs.evidence.plan.machine, number)
        for number in range(len(inputs.evidence.drawn))
    }
    return {number: programme for number, programme in drawn.items() if programme is not None}


def _profiles(
    inputs: CheckInputs,
    traits: tuple[tuple[str, ...], list[Floats]],
    programmes: Mapping[int, list[Ints]],
    units: tuple[int, ...],
) -> _Profiles | None:
    """Describe the places of some units and of the placebos drawn for them; None for too few."""
    plan, panel = inputs.evidence.plan, inputs.data.panel
    names, of_units = traits
    districts = _districts(inputs)
    own = [of_units[g] for g in units]

    def described(members: Sequence[Ints]) -> Floats:
        return profile(members, own, panel.centres, districts)

    drawn = [described([programme[g] for g in units]) for programme in programmes.values()]
    if len(drawn) < _FEWEST:
        return None
    return _Profiles(
        feature_names(names, centres=panel.centres is not None, districts=districts is not None),
        described([plan.units[g].areas for g in units]),
        np.array(drawn),
        np.array(list(programmes)),
    )


def _districts(inputs: CheckInputs) -> Ints | None:
    """Return a number for the larger area of each, where the study names one for its placebos."""
    reference = inputs.study.analysis.placebo_neighbourhoods
    if not reference:
        return None
    return np.unique(inputs.data.panel.attributes[reference], return_inverse=True)[1].ravel()


def tilt(p_value: float) -> float:
    """Return how much placement must lean towards changes as large for a verdict to be lost.

    If programmes whose statistic is as extreme as the real one were this many times as likely to be
    placed as the others, the p-value would rise to 0.05: the odds of 0.05 over those of the p-value
    (sensitivity weights of Firpo & Possebom 2018, doi 10.1515/jci-2016-0026, in their worst case).
    Under 1 where there is no verdict to lose.
    """
    return ALPHA / (1 - ALPHA) * (1 - p_value) / p_value


def _answer(s: Subject, place: Placement) -> OfPlacement:
    if not place.names:
        return s.silent(phrase("check_placement.nothing_before"))
    numbers = np.column_stack([place.values, place.medians, place.p_values, place.counted_p])
    columns = ("real", "placebo_median", "p_value", "counted_p")
    rows = [
        Feature(feature=name, joint_p=place.joint_p, **dict(zip(columns, row, strict=True)))
        for name, row in zip(place.names, numbers.tolist(), strict=True)
    ]
    p_value = s.finding.p_value
    leaning = tilt(p_value) if s.excludes_zero and p_value else None
    oddest = OddestFeature(rows[place.names.index(place.oddest)], leaning)
    return s.answer(oddest, *rows, warns=place.is_unlike)


def _say(a: OfPlacement, n: OddestFeature) -> str:
    warns = a.status is CheckStatus.WARNS
    tilted = warns and n.tilt is not None
    return phrase(
        f"check_placement.{'warns' if warns else 'holds'}",
        feature=n.of.feature.replace("_", " "),
        real=three_digits(n.of.real),
        usual=three_digits(n.of.placebo_median),
        p=p_words(n.of.counted_p),
        all=p_words(n.of.joint_p),
        tilt=phrase("check_placement.tilt", times=three_digits(n.tilt or 0.0)) if tilted else "",
    )


PLACEMENT = Check(name="placement", row=Feature, run=_run, say=_say)
