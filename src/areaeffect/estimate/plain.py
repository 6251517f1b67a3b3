"""Plain comparison: means of the treated areas and of others, standardised to the same mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from areaeffect.panel import Strings
from areaeffect.results import Bools, Floats


@dataclass(frozen=True, slots=True)
class PlainMeans:
    """Two means, and the number of areas behind each."""

    #: treated, others: the means; None where no area has a value.
    treated: float | None
    others: float | None
    #: n_treated, n_others: areas behind them
    n_treated: int
    n_others: int
    without_class: int  # treated areas with a value and without a class; they are in neither mean.


def same_mix(values: Floats, classes: Strings, treated: Bools) -> PlainMeans:
    """Compare treated areas with others, as if the others had the same mix of classes.

    Direct standardisation: the mean of the others is Σ_c (n_c / n) ȳ_c over the classes c of the
    treated areas, n_c of them in class c and ȳ_c the mean of the others there (Rothman, Greenland
    and Lash, Modern Epidemiology, 3rd ed., p. 67). It is a description: nothing says that the
    classes hold all that differs.

    Parameters
    ----------
    values : (n_areas,), NaN where there is none.
    classes : (n_areas,), '' or 'nan' where there is none.
    treated : (n_areas,).
    """
    has = np.isfinite(values)
    known = has & (classes != "") & (classes != "nan")
    mine = known & treated
    names, n = np.unique(classes[mine], return_counts=True)
    rest = known & ~treated & np.isin(classes, names)
    lost = int((has & treated & ~known).sum())
    if not mine.any():
        return PlainMeans(None, None, 0, 0, lost)
    own = float(values[mine].mean())
    means = [values[rest & (classes == name)] for name in names]
    if any(not len(of) for of in means):
        return PlainMeans(own, None, int(mine.sum()), int(rest.sum()), lost)
    mixed = float(sum(k * of.mean() for k, of in zip(n, means, strict=True)) / n.sum())
    return PlainMeans(own, mixed, int(mine.sum()), int(rest.sum()), lost)
