"""The true effects of a simulated county: what was put in, and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from areaeffect.results import ALL_INITIATIVES, RESIDENT_LED_CONTRAST
from areaeffect.simulate.noise import FloatArray
from areaeffect.simulate.placement import Neighbourhood
from areaeffect.simulate.spec import (
    ADDITIVE_OUTCOMES,
    OUTCOMES,
    YEARLY_INDICATORS,
    CountySpec,
    first_full_year,
)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected with the initiatives and without them; both (n_areas, n_periods)."""

    with_effect: FloatArray
    without: FloatArray


@dataclass(frozen=True, slots=True)
class Truth:
    """Realised effects on what is expected, by initiative and by neighbourhood, then by outcome.

    Counts: a fraction (-0.12 = 12% fewer): the total expected with the initiative over the total
    expected without it, less one, over treated areas from their start on. Scores: the mean
    difference in points over the same cells.
    """

    initiatives: Mapping[str, Mapping[str, float]]
    neighbourhoods: Mapping[str, Mapping[str, float]]

    def to_dict(self) -> dict[str, dict[str, dict[str, float]] | dict[str, float]]:
        """Return `{initiative: {outcome: effect}, …}` and the same under 'neighbourhoods'."""
        by_initiative: dict[str, dict[str, dict[str, float]] | dict[str, float]] = {
            name: dict(effects) for name, effects in self.initiatives.items()
        }
        by_initiative["neighbourhoods"] = {
            name: dict(effects) for name, effects in self.neighbourhoods.items()
        }
        return by_initiative


def first_treated_period(outcome: str, start: str, periods: tuple[str, ...]) -> int:
    """Position of the first treated period: the month of the start, or the first full year."""
    first = str(first_full_year(start)) if outcome in YEARLY_INDICATORS else start[:7]
    return sum(period < first for period in periods)


def spread_effects(
    rng: np.random.Generator,
    spec: CountySpec,
    neighbourhoods: tuple[Neighbourhood, ...],
    n_areas: int,
    periods: Mapping[str, tuple[str, ...]],
) -> dict[str, FloatArray]:
    """Give every treated cell its effect.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    spec : CountySpec
        Holds the programmes' effects and how much they vary between neighbourhoods.
    neighbourhoods : tuple of Neighbourhood
        Who is treated, and from when.
    n_areas : int
        Number of areas.
    periods : Mapping of outcome to tuple of str
        Periods of each outcome.

    Returns
    -------
    dict of outcome to ndarray of shape (n_areas, n_periods)
        Log rate ratio for counts, points for scores; 0 where nothing is treated.
    """
    programmes = {programme.name: programme for programme in spec.programmes}
    surface = {name: np.zeros((n_areas, len(periods[name]))) for name in OUTCOMES}
    # drawn whether used or not: so no draw depends on whether another effect is zero
    deviation = rng.standard_normal((len(neighbourhoods), len(OUTCOMES)))
    for g, neighbourhood in enumerate(neighbourhoods):
        for k, name in enumerate(OUTCOMES):
            effect = programmes[neighbourhood.initiative].effects.get(name, 0.0)
            if effect == 0:
                continue
            if name in ADDITIVE_OUTCOMES:
                value = effect + spec.effect_sd_points * deviation[g, k]
            else:
                # the mean of a lognormal exceeds its median: without the last term so would effects
                value = np.log1p(effect) + spec.effect_sd * deviation[g, k] - spec.effect_sd**2 / 2
            first = first_treated_period(name, neighbourhood.start, periods[name])
            surface[name][list(neighbourhood.areas), first:] = value
    return surface


def measure_truth(
    expected: Mapping[str, Expected],
    neighbourhoods: tuple[Neighbourhood, ...],
    periods: Mapping[str, tuple[str, ...]],
    led: Mapping[str, bool],
) -> Truth:
    """Add up what the effects came to: by initiative, for all together and by neighbourhood.

    Where some initiatives are resident-led (`led`) and others not, the contrast between the two
    sides stands beside: the ratio of the two ratios less one, or the difference of the two means.
    """
    members: dict[str, list[Neighbourhood]] = {}
    for neighbourhood in neighbourhoods:
        members.setdefault(neighbourhood.initiative, []).append(neighbourhood)
    if neighbourhoods:
        members[ALL_INITIATIVES] = list(neighbourhoods)

    def measure(group: list[Neighbourhood]) -> dict[str, float]:
        return {
            name: _realised_effect(name, expected[name], group, periods[name]) for name in OUTCOMES
        }

    effects = {name: measure(group) for name, group in members.items()}
    sides = [[n for n in neighbourhoods if led[n.initiative] is side] for side in (True, False)]
    if all(sides):
        ours, others = measure(sides[0]), measure(sides[1])
        effects[RESIDENT_LED_CONTRAST] = {
            name: ours[name] - others[name]
            if name in ADDITIVE_OUTCOMES
            else (1 + ours[name]) / (1 + others[name]) - 1
            for name in OUTCOMES
        }
    return Truth(
        initiatives=effects,
        neighbourhoods={n.name: measure([n]) for n in neighbourhoods},
    )


def _realised_effect(
    outcome: str, expected: Expected, group: Iterable[Neighbourhood], periods: tuple[str, ...]
) -> float:
    """Effect over all treated cells of a group: ratio of totals less one, or mean difference."""
    with_effect, without, n_cells = 0.0, 0.0, 0
    for neighbourhood in group:
        cells = np.ix_(
            neighbourhood.areas,
            range(first_treated_period(outcome, neighbourhood.start, periods), len(periods)),
        )
        with_effect += float(expected.with_effect[cells].sum())
        without += float(expected.without[cells].sum())
        n_cells += expected.without[cells].size
    if outcome in ADDITIVE_OUTCOMES:
        return (with_effect - without) / n_cells
    return with_effect / without - 1
