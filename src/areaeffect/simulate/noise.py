"""Random fields, autoregressions and counts.

No BLAS: the number of threads must not change a bit of what is drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEATURES = 64


def draw_ar1(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> FloatArray:
    """Draw stationary first-order autoregressions of unit variance; (n_series, n_periods)."""
    series = rng.standard_normal(shape)
    innovation = np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        series[:, t] = rho * series[:, t - 1] + innovation * series[:, t]
    return series


def draw_field(rng: np.random.Generator, xy_km: FloatArray, length_km: float) -> FloatArray:
    """Draw one smooth field over space, standardised; (n_areas,)."""
    return standardise(draw_moving_field(rng, xy_km, length_km, 1, 0.0)[:, 0])


def draw_moving_field(
    rng: np.random.Generator, xy_km: FloatArray, length_km: float, n_periods: int, rho: float
) -> FloatArray:
    """Draw a smooth field of unit variance that drifts over time.

    Parameters
    ----------
    rng : the generator.
    xy_km : (n_areas, 2), where the areas are.
    length_km : distance over which places stay alike.
    n_periods, rho : periods, and the correlation of one with the next.

    Returns
    -------
    (n_areas, n_periods).

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines, algorithm 1.
    """
    frequency = rng.standard_normal((2, FEATURES)) / length_km
    phase = rng.uniform(0, 2 * np.pi, FEATURES)
    angle = xy_km[:, :1] * frequency[0] + xy_km[:, 1:] * frequency[1] + phase
    waves = np.cos(angle) * np.sqrt(2 / FEATURES)
    weights = draw_ar1(rng, (FEATURES, n_periods), rho)
    return np.asarray(np.einsum("af,ft->at", waves, weights, optimize=False), dtype=np.float64)


def draw_counts(
    rng: np.random.Generator, expected: tuple[FloatArray, ...], overdispersion: float
) -> list[IntArray]:
    """Draw negative binomial counts that share their gamma noise, so that their sum is one too.

    A count has variance mean + overdispersion × mean²; `expected` are arrays of one shape.
    """
    noise: FloatArray | float = 1.0
    if overdispersion > 0:
        noise = rng.gamma(1 / overdispersion, overdispersion, expected[0].shape)
    return [rng.poisson(noise * mean) for mean in expected]


def standardise(values: FloatArray) -> FloatArray:
    """Scale to mean 0 and standard deviation 1."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
