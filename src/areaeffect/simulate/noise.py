"""Random fields, autoregressions and counts.

No BLAS: the number of threads must not change a bit of what is drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

STATIC_FEATURES = 128
MOVING_FEATURES = 48


def draw_ar1(rng: np.random.Generator, shape: tuple[int, int], rho: float) -> FloatArray:
    """Draw stationary first-order autoregressions with unit variance.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    shape : (int, int)
        Number of series and number of periods.
    rho : float
        Correlation of one period with the next.

    Returns
    -------
    ndarray of shape (n_series, n_periods)
    """
    series = rng.standard_normal(shape)
    innovation = np.sqrt(1 - rho**2)
    for t in range(1, shape[1]):
        series[:, t] = rho * series[:, t - 1] + innovation * series[:, t]
    return series


def draw_features(
    rng: np.random.Generator, xy_km: FloatArray, length_km: float, n_features: int
) -> FloatArray:
    """Draw random Fourier features of the kernel exp(-distance² / 2 length²).

    Weighting the columns with independent standard normals gives a smooth field of unit variance.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    xy_km : (n_areas, 2), kilometres
        Where the areas are.
    length_km : float
        Distance over which places stay alike.
    n_features : int
        Number of waves.

    Returns
    -------
    ndarray of shape (n_areas, n_features)

    References
    ----------
    Rahimi and Recht (2007), Random features for large-scale kernel machines, algorithm 1.
    """
    frequency = rng.standard_normal((2, n_features)) / length_km
    phase = rng.uniform(0, 2 * np.pi, n_features)
    angle = xy_km[:, :1] * frequency[0] + xy_km[:, 1:] * frequency[1] + phase
    return np.asarray(np.cos(angle) * np.sqrt(2 / n_features), dtype=np.float64)


def draw_field(rng: np.random.Generator, xy_km: FloatArray, length_km: float) -> FloatArray:
    """Draw one smooth field over space, standardised; shape (n_areas,)."""
    features = draw_features(rng, xy_km, length_km, STATIC_FEATURES)
    return standardise((features * rng.standard_normal(STATIC_FEATURES)).sum(axis=1))


def draw_moving_field(
    rng: np.random.Generator, xy_km: FloatArray, length_km: float, n_periods: int, rho: float
) -> FloatArray:
    """Draw a smooth field of unit variance that drifts over time; shape (n_areas, n_periods)."""
    features = draw_features(rng, xy_km, length_km, MOVING_FEATURES)
    weights = draw_ar1(rng, (MOVING_FEATURES, n_periods), rho)
    return np.asarray(np.einsum("af,ft->at", features, weights, optimize=False), dtype=np.float64)


def draw_counts(
    rng: np.random.Generator, expected: tuple[FloatArray, ...], overdispersion: float
) -> list[IntArray]:
    """Draw negative binomial counts that share their gamma noise, so that their sum is one too.

    Parameters
    ----------
    rng : numpy.random.Generator
        The generator.
    expected : tuple of ndarray, all of one shape
        Expected counts.
    overdispersion : float
        Variance of the gamma noise: a count has variance mean + overdispersion × mean².

    Returns
    -------
    list of ndarray
        Counts, one array an expectation.
    """
    noise: FloatArray | float = 1.0
    if overdispersion > 0:
        noise = rng.gamma(1 / overdispersion, overdispersion, expected[0].shape)
    return [rng.poisson(noise * mean) for mean in expected]


def standardise(values: FloatArray) -> FloatArray:
    """Scale to mean 0 and standard deviation 1."""
    return np.asarray((values - values.mean()) / values.std(), dtype=np.float64)
