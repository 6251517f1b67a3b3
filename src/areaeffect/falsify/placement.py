"""Whether a programme is placed by a rule that its placebo programmes do not know.

Placebos speak for placement like theirs (DESIGN section 5, rule 5). A programme put where crime
has just peaked, into the most deprived places, into one district or into whole wards need not be
like any programme drawn: then its p-value is too small. What can be seen before the start is
compared here, feature by feature and jointly.

Being unlike is common and mostly harmless (on London 80 to 100 % of programmes under laws whose
size holds are unlike in something). So only those tails count in which it could do harm: places
nearer together than any placebo's, which share what happens to them; and characteristics in a
direction in which placebo effects grow. A high level and a recent rise are printed and
not counted: the check of regression to the mean says what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Strings
    from areaeffect.results import Bools, Floats, Ints

#: A programme less like its placebos than all but this share of them is warned of.
ALPHA = 0.05
SPREAD, SHARE_IN_ONE, WHOLE_GROUPS = "distance apart", "share in one district", "whole districts"


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """How a programme's place compares with those of placebo programmes.

    Parameters
    ----------
    names : of the q features.
    values : (q,), of the programme.
    medians : (q,), of the placebo programmes.
    p_values : (q,), twice the smaller tail with the +1 correction.
    counted_p : (q,), the same over the tails that count, one or both; 1 where none does.
    joint_p : how often a placebo programme has a smallest counted p-value as small, with the +1
        correction: it holds for all features at once.
    """

    names: tuple[str, ...]
    values: Floats
    medians: Floats
    p_values: Floats
    counted_p: Floats
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
    found = np.full(len(values), np.nan)
    good = np.isfinite(values)
    ordered = np.sort(values[good])
    if len(ordered):
        below = np.searchsorted(ordered, values[good], "left")
        upto = np.searchsorted(ordered, values[good], "right")
        found[good] = 50.0 * (below + upto) / len(ordered)
    return found


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
    Each counted feature has a rank p-value. The smallest of them is held against the smallest of
    each placebo programme ranked in the same way, so that `joint_p` is exact under placement by
    the generator, however the features depend on each other. It cannot see a rule that leaves no
    trace in these features.
    """
    good = np.isfinite(placebos).all(axis=0) & np.isfinite(real)
    kept = tuple(name for name, use in zip(names, good, strict=True) if use)
    if not kept or not len(placebos):
        nothing = np.empty(0)
        return Placement((), nothing, nothing, nothing, nothing, 1.0)
    stacked = np.vstack([real[good], placebos[:, good]])
    both = _rank_p(stacked, np.ones((len(kept), 2), dtype=bool))
    mine = _rank_p(stacked, counted[good])
    smallest = mine.min(axis=1)
    joint = float((smallest <= smallest[0]).mean())
    medians = np.median(placebos[:, good], axis=0)
    return Placement(kept, real[good], medians, both[0], mine[0], joint)


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
