"""Recorded crime, anti-social behaviour and criminal damage of a simulated county, by month.

Log incidents are built alike: a lasting level, a common course, a course that differs with
deprivation, shocks that neighbours or a police force share, and noise of the area's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from areaeffect.simulate.effects import Expected
from areaeffect.simulate.geography import Map
from areaeffect.simulate.levels import Levels, deprivation_drift, follow_course
from areaeffect.simulate.noise import (
    FloatArray,
    IntArray,
    draw_ar1,
    draw_counts,
    draw_moving_field,
)
from areaeffect.simulate.spec import CountySpec

# Common courses, log scale, by year. Recorded crime in England fell to 2013, rose to 2018 and
# dipped in the lockdowns of 2020 and 2021, when reports of anti-social behaviour rose.
CRIME_COURSE = {
    2012.0: 0.06, 2013.5: -0.04, 2014.3: -0.04, 2018.5: 0.22,
    2020.0: 0.18, 2021.5: 0.10, 2023.0: 0.17, 2024.0: 0.13,
}  # fmt: skip
CRIME_LOCKDOWN = {
    "2020-04": -0.32, "2020-05": -0.22, "2020-06": -0.10,
    "2020-11": -0.12, "2021-01": -0.20, "2021-02": -0.16,
}  # fmt: skip
ANTISOCIAL_COURSE = {2012.0: 0.18, 2015.0: 0.02, 2019.5: -0.22, 2021.5: -0.28, 2024.0: -0.5}
ANTISOCIAL_LOCKDOWN = {
    "2020-04": 0.55, "2020-05": 0.45, "2020-06": 0.25,
    "2020-11": 0.20, "2021-01": 0.25, "2021-02": 0.15,
}  # fmt: skip
DAMAGE_SHARE_COURSE = {2012.0: 0.12, 2016.0: 0.02, 2024.0: -0.2}
DAMAGE_SHARE_RANGE = (0.02, 0.35)

# By the end of the course, log scale, for one standard deviation more of deprivation.
CRIME_DRIFT, ANTISOCIAL_DRIFT, DAMAGE_SHARE_DRIFT = -0.09, -0.12, -0.03

SUMMER, SPRING = 7, 4  # months of the peak
CRIME_SEASON, ANTISOCIAL_SEASON, DAMAGE_SHARE_SEASON = 0.05, 0.20, 0.05
FORCE_RHO = 0.97
NEARBY_KM, WIDER_KM = 1.5, 6.0
DAYS_PER_MONTH = 30.44


@dataclass(frozen=True, slots=True)
class MonthlyCounts:
    """Counts as recorded, (n_areas, n_months) by outcome, and what was expected of them."""

    counts: Mapping[str, IntArray]
    expected: Mapping[str, Expected]


def draw_monthly_counts(
    rng: np.random.Generator,
    spec: CountySpec,
    months: tuple[str, ...],
    places: pd.DataFrame,
    county_map: Map,
    levels: Levels,
    effects: Mapping[str, FloatArray],
) -> MonthlyCounts:
    """Draw recorded crime, anti-social behaviour and criminal damage by area and month.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    spec : CountySpec
        Its knobs.
    months : 'YYYY-MM'
    places, county_map, levels
        The areas, where they are and how they differ.
    effects : Mapping of outcome to (n_areas, n_months)
        Log rate ratios.

    Returns
    -------
    MonthlyCounts
        Crime includes criminal damage; in the gap only a residue of the smallest force's is left.

    Notes
    -----
    Criminal damage is a share of crime. Its effect is put on it, the effect on crime on the whole,
    and the rest of crime is what is left: so both hold exactly.
    """
    shock_rng, count_rng, gap_rng = rng.spawn(3)
    crime, antisocial, share = _expect(shock_rng, spec, months, places, county_map, levels)
    expected = {
        "crime": Expected(crime * np.exp(effects["crime"]), crime),
        "antisocial_behaviour": Expected(
            antisocial * np.exp(effects["antisocial_behaviour"]), antisocial
        ),
        "criminal_damage": Expected(
            crime * share * np.exp(effects["criminal_damage"]), crime * share
        ),
    }
    damage = expected["criminal_damage"].with_effect
    rest = expected["crime"].with_effect - damage
    damage_count, rest_count = draw_counts(count_rng, (damage, rest), spec.overdispersion)
    (antisocial_count,) = draw_counts(
        count_rng, (expected["antisocial_behaviour"].with_effect,), spec.overdispersion
    )
    if spec.gap:
        cells = _gap_cells(spec, months, places["police_force"])
        for count in (damage_count, rest_count, antisocial_count):
            count[cells] = gap_rng.binomial(count[cells], spec.gap_residue)
    counts = {
        "crime": damage_count + rest_count,
        "antisocial_behaviour": antisocial_count,
        "criminal_damage": damage_count,
    }
    return MonthlyCounts(counts, expected)


def _expect(
    rng: np.random.Generator,
    spec: CountySpec,
    months: tuple[str, ...],
    places: pd.DataFrame,
    county_map: Map,
    levels: Levels,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Expect crime, anti-social behaviour and share of damage, untreated; (n_areas, n_months)."""
    shape = (len(places), len(months))
    times = np.array([int(month[:4]) + (int(month[5:]) - 0.5) / 12 for month in months])
    drift = deprivation_drift(places, times, spec.deprivation_trend)
    shared, of_crime, of_antisocial = (
        _draw_shocks(rng, spec, places, county_map, len(months)) for _ in range(3)
    )
    crime = (
        levels.crime[:, None]
        + follow_course(times, CRIME_COURSE)
        + [CRIME_LOCKDOWN.get(month, 0.0) for month in months]
        + _season(months, CRIME_SEASON, SUMMER)
        + _month_length(months)
        + CRIME_DRIFT * drift
        + np.sqrt(0.5) * (shared + of_crime)
    )
    antisocial = (
        levels.antisocial[:, None]
        + follow_course(times, ANTISOCIAL_COURSE)
        + [ANTISOCIAL_LOCKDOWN.get(month, 0.0) for month in months]
        + _season(months, ANTISOCIAL_SEASON, SUMMER)
        + _month_length(months)
        + ANTISOCIAL_DRIFT * drift
        + np.sqrt(0.5) * (shared + of_antisocial)
    )
    share = (
        levels.damage_share[:, None]
        + follow_course(times, DAMAGE_SHARE_COURSE)
        + _season(months, DAMAGE_SHARE_SEASON, SPRING)
        + DAMAGE_SHARE_DRIFT * drift
        + 0.6 * spec.area_sd * draw_ar1(rng, shape, spec.area_rho)
    )
    return np.exp(crime), np.exp(antisocial), np.clip(np.exp(share), *DAMAGE_SHARE_RANGE)


def _draw_shocks(
    rng: np.random.Generator,
    spec: CountySpec,
    places: pd.DataFrame,
    county_map: Map,
    n_months: int,
) -> FloatArray:
    """Draw shocks that neighbours share, that a force shares, and an area's own; log scale."""
    forces, force = np.unique(places["police_force"].to_numpy(dtype=str), return_inverse=True)
    # half of what neighbours share is very local: benchmark areas across town miss it, as in life
    nearby = draw_moving_field(rng, county_map.xy_km, NEARBY_KM, n_months, spec.spatial_rho)
    wider = draw_moving_field(rng, county_map.xy_km, WIDER_KM, n_months, spec.spatial_rho)
    of_force = draw_ar1(rng, (len(forces), n_months), FORCE_RHO)[force]
    own = draw_ar1(rng, (len(places), n_months), spec.area_rho)
    spatial = spec.spatial_sd * np.sqrt(0.5) * (nearby + wider)
    return np.asarray(spatial + spec.force_sd * of_force + spec.area_sd * own, dtype=np.float64)


def _season(months: tuple[str, ...], height: float, peak: int) -> FloatArray:
    """Yearly wave on the log scale that peaks in a month; shape (n_months,)."""
    number = np.array([int(month[5:]) for month in months])
    return np.asarray(height * np.cos(2 * np.pi * (number - peak) / 12), dtype=np.float64)


def _month_length(months: tuple[str, ...]) -> FloatArray:
    """Log length of each month relative to the mean; shape (n_months,)."""
    days = pd.PeriodIndex(months, freq="M").days_in_month.to_numpy(dtype=np.float64)
    return np.asarray(np.log(days / DAYS_PER_MONTH), dtype=np.float64)


def smallest_force(force: pd.Series[str]) -> str:
    """Name of the police force with the fewest areas: the one that loses its records."""
    names, count = np.unique(force.to_numpy(dtype=str), return_counts=True)
    return str(names[count.argmin()])


def _gap_cells(
    spec: CountySpec, months: tuple[str, ...], force: pd.Series[str]
) -> tuple[npt.NDArray[np.intp], ...]:
    """Cells of the smallest force during the gap, as an open mesh."""
    in_gap = np.array([spec.gap_months[0] <= month <= spec.gap_months[1] for month in months])
    rows, columns = np.ix_((force == smallest_force(force)).to_numpy(dtype=np.bool_), in_gap)
    return rows, columns
