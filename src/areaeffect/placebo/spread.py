"""Spatial spread: placebo programmes lie as far apart as the real one.

Places near each other share shocks, those of a town or of a police force. A programme in one
borough therefore varies more than as many neighbourhoods scattered over a region, and placebos
scattered at random would understate that. Spread is the mean distance between the centres of a
programme's neighbourhoods. Unlike the share of pairs in one police force it needs no source that
names forces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.streams import OF_AREAS, Use, generator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from areaeffect.results import Floats, Ints

#: A programme whose spread is within this factor of the real one's is taken at once ...
ALIKE_WITHIN = 1.15
#: ... and after so many proposals the one that came nearest is.
PROPOSALS = 6
#: Radii that are tried, as multiples of the real programme's spread.
_RADII = (0.5, 0.7, 1.0, 1.4, 2.0, np.inf)
_TRIALS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How placebo programmes are kept as far apart as the real one."""

    #: for each neighbourhood, (n_candidates, 2), the centres of what may represent it
    centres: tuple[Floats, ...]
    target: float  # mean distance between the real neighbourhoods' centres, metres
    radius: float  # neighbourhoods are looked for within it of a first place; infinite for anywhere.

    def off_by(self, picked: Sequence[int]) -> float:
        """Return how far a programme's spread is from the real one's, as a factor of 1 or more."""
        found = mean_distance(np.array([c[i] for c, i in zip(self.centres, picked, strict=True)]))
        if found <= 0 or self.target <= 0:
            return 1.0 if found == self.target else np.inf
        return float(np.exp(np.abs(np.log(found / self.target))))


def mean_distance(points: Floats) -> float:
    """Return the mean distance between pairs of points, (n, 2) with n of 2 or more."""
    apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    n = len(points)
    return float(apart.sum() / (n * (n - 1)))


def centre_of(groups: Sequence[Ints], centres: Floats) -> Floats:
    """Return the mean of the centres of each group's areas, (n_groups, 2)."""
    return np.array([centres[areas].mean(axis=0) for areas in groups]).reshape(-1, 2)


def fit_radius(spread: Spread, propose: Callable[[Spread, np.random.Generator], list[int] | None]) -> Spread:
    """Find the radius with which proposals come nearest to the real spread.

    Parameters
    ----------
    spread : its radius is not read.
    propose : proposes one programme: the candidate picked for each neighbourhood.
    """
    best, least = np.inf, np.inf
    for step, factor in enumerate(_RADII):
        tried = Spread(spread.centres, spread.target, factor * spread.target)
        rng = generator(Use.SPREAD, OF_AREAS, step)
        found = [propose(tried, rng) for _ in range(_TRIALS)]
        made = [tried.off_by(picked) for picked in found if picked is not None]
        if len(made) >= _TRIALS // 2 and float(np.median(made)) < least:
            best, least = tried.radius, float(np.median(made))
    return Spread(spread.centres, spread.target, best)
