"""Weighted, clustered comparisons of survey means between groups of places and between waves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from areaeffect.results import Floats, Ints

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A linear combination of weighted means with its design-based interval.

    Parameters
    ----------
    means : (n_domains,), the weighted means it combines.
    estimate : the combination.
    standard_error : linearised over clusters; None with fewer than two clusters in a stratum.
    low, high : 95% interval by Student's t.
    degrees_of_freedom : clusters less strata.
    """

    means: Floats
    estimate: float
    standard_error: float | None
    low: float | None
    high: float | None
    degrees_of_freedom: int


def compare(
    score: Floats,
    weight: Floats,
    cluster: Ints,
    stratum: Ints,
    domain: Ints,
    coefficients: Floats,
) -> Comparison:
    """Combine weighted means of domains, with the Taylor-linearised variance over clusters.

    A domain is a group in a wave. With coefficients c over domains d, each respondent's
    linearised value is e_i = c_d w_i (y_i - mean_d) / W_d; cluster totals of e, about their
    stratum's mean, give the variance sum over strata of C/(C-1) times their sum of squares
    (Binder 1983, doi 10.2307/1402588). A cluster that is
    in several domains, such as an area asked in two waves, keeps its covariance.

    Parameters
    ----------
    score, weight : (n,), answers without NaN, and weights above zero.
    cluster, stratum : (n,), whole numbers; a cluster lies in one stratum.
    domain : (n,), position in `coefficients`.
    coefficients : (n_domains,), for instance (1, -1), or (1, -1, -1, 1) for a change.
    """
    n_domains = len(coefficients)
    total = np.bincount(domain, weight, n_domains)
    means = np.bincount(domain, weight * score, n_domains) / total
    estimate = float(coefficients @ means)
    influence = coefficients[domain] * weight * (score - means[domain]) / total[domain]
    _, cluster_of, stratum_of = _numbered(cluster, stratum)
    totals = np.bincount(cluster_of, influence)
    variance, clusters, strata = 0.0, len(totals), np.unique(stratum_of)
    for h in strata:
        inside = totals[stratum_of == h]
        if len(inside) < 2:  # noqa: PLR2004  # one cluster shows no spread
            return Comparison(
                means=means,
                estimate=estimate,
                standard_error=None,
                low=None,
                high=None,
                degrees_of_freedom=0,
            )
        variance += len(inside) / (len(inside) - 1) * float(((inside - inside.mean()) ** 2).sum())
    freedom = clusters - len(strata)
    error = float(np.sqrt(variance))
    from scipy.stats import t

    reach = float(t.ppf(0.5 + _LEVEL / 2, freedom)) * error
    return Comparison(
        means=means,
        estimate=estimate,
        standard_error=error,
        low=estimate - reach,
        high=estimate + reach,
        degrees_of_freedom=freedom,
    )


def _numbered(cluster: Ints, stratum: Ints) -> tuple[Ints, Ints, Ints]:
    """Number the clusters from zero; return their names, each respondent's, and their strata."""
    names, first, position = np.unique(cluster, return_index=True, return_inverse=True)
    return names, position.ravel(), stratum[first]
