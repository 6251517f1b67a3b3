"""Random numbers: the one table of what uses them, and the only place that makes a generator."""

from __future__ import annotations

import hashlib
from enum import StrEnum, unique

import numpy as np

_WORDS = 8  # of 32 bits: the whole of a SHA-256 hash


#: In place of the study's seed where numbers are drawn for the areas, and not for a programme:
#: which places there are, how far apart and how many, is then the same whatever the seed.
OF_AREAS = 0


@unique
class Use(StrEnum):
    """Everything that random numbers are drawn for; the value is part of the key of its stream."""

    CANDIDATES = "candidates for placebo neighbourhoods"
    PLACEBO = "placebo programme of the evaluation"  # number of the draw
    SPREAD = "trial of how far apart placebo neighbourhoods lie"  # number of the radius
    DISJOINT = "count of placebo programmes without a common area"  # number of the packing
    MEAN_REVERSION = "places chosen for a bad last year"
    POWER_ORDER = "order in which the power curve takes up neighbourhoods"
    POWER_PLACEBO = "placebo programme of the power calculation"  # number of the draw
    MORE_PLACEBO = "placebo programme with more neighbourhoods"  # number of the draw
    BOOTSTRAP = "bootstrap of neighbourhoods"  # position of the outcome
    CROSS_CHECK = "a library's own draws in a cross-check"
    TRUE_AREAS = "where an approximate programme truly was"  # number of the draw
    COSTS = "unit costs within their ranges"
    WHERE_NEXT_ALIKE = "ranking of places most like those that benefited"
    COUNTY_PEOPLE = "simulated county: its people"
    COUNTY_PROGRAMMES = "simulated county: where programmes go"
    COUNTY_LEVELS = "simulated county: how places differ"
    COUNTY_EFFECTS = "simulated county: the effects"
    COUNTY_MONTHS = "simulated county: monthly counts"
    COUNTY_YEARS = "simulated county: yearly indicators"
    COUNTY_SURVEY = "simulated county: its survey"


def generator(use: Use, seed: int, *numbers: int) -> np.random.Generator:
    """Return the random numbers of one use, which no other use shares.

    Parameters
    ----------
    use : what the numbers are for.
    seed : of the study, or `OF_AREAS`.
    numbers : which one of several streams of the use, such as the number of the draw.

    Notes
    -----
    The generator starts from a hash of the use, the seed and the numbers. Keys of any lengths
    give different hashes; NumPy's own lists do not ([3] and [3, 0] are one to it).
    """
    return np.random.default_rng(np.random.SeedSequence(_words(use, seed, numbers)))


def seed_for(use: Use, seed: int) -> int:
    """Return a seed of 31 bits for a library that makes its own random numbers."""
    return _words(use, seed, ())[0] >> 1


def _words(use: Use, seed: int, numbers: tuple[int, ...]) -> list[int]:
    key = "/".join([use.value, *(str(int(n)) for n in (seed, *numbers))])
    digest = hashlib.sha256(key.encode()).digest()
    return [int.from_bytes(digest[4 * i : 4 * i + 4], "little") for i in range(_WORDS)]
