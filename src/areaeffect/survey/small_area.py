"""Small-area estimates: multilevel regression and post-stratification to census cells.

The model is fitted by numpyro (extra `survey`), in a process of its own: its threads and its
memory go when it ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.results import Floats, Ints
from areaeffect.streams import Use, generator

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.9
#: Run by `estimate_apart`: a started interpreter, because a forked one would inherit threads and a
#: spawned one would run the caller's script again.
_CHILD = """
import pickle, sys
from areaeffect.survey.small_area import estimate_surveys
found = estimate_surveys(*pickle.load(sys.stdin.buffer))
sys.stdout.buffer.write(pickle.dumps(found))
"""
_WARMUP, _SAMPLES, _CHAINS = 300, 250, 4
#: Chains agree where the potential scale reduction stays under this (Vehtari et al. 2021,
#: doi 10.1214/20-BA1221).
MOST_RHAT = 1.05


@dataclass(frozen=True, slots=True, eq=False)
class SmallAreaData:
    """What the model is fitted to and weighted up to.

    Parameters
    ----------
    number, mean : (n_areas, n_cells), respondents and their mean score from 0 to 100; the mean
        is 0 where there are none.
    within : sum of squares of the scores about the mean of their area and cell.
    covariates : (n_areas, q), standardised characteristics of areas; q may be 0.
    people : (n_areas, n_cells), people the census counts.
    cell_levels : (n_cells, n_factors), level of each cell in each census factor.
    """

    number: Floats
    mean: Floats
    within: float
    covariates: Floats
    people: Floats
    cell_levels: Ints


def grouped(
    score: Floats, area: Ints, cell: Ints, covariates: Floats, people: Floats, cell_levels: Ints
) -> SmallAreaData:
    """Add respondents up by area and cell, which loses nothing of a normal model.

    Parameters
    ----------
    score, area, cell : (n,), scores without NaN, positions of areas and cells.
    covariates, people, cell_levels : see `SmallAreaData`.
    """
    shape = people.shape
    place = area * shape[1] + cell
    number = np.bincount(place, minlength=people.size).astype(np.float64)
    total = np.bincount(place, score, people.size)
    mean = total / np.maximum(number, 1.0)
    within = float(((score - mean[place]) ** 2).sum())
    return SmallAreaData(
        number.reshape(shape), mean.reshape(shape), within, covariates, people, cell_levels
    )


@dataclass(frozen=True, slots=True, eq=False)
class SmallAreaEstimates:
    """Posterior of each area's mean.

    Parameters
    ----------
    mean, low, high : (n_areas,), posterior mean and 90% interval; NaN for an area without people.
    worst_rhat : largest potential scale reduction of the parameters.
    divergences : steps in which the sampler failed.
    predictive_p : share of replicated surveys whose spread between area means exceeds that
        of the survey; near 0 or 1 the model does not fit.
    """

    mean: Floats
    low: Floats
    high: Floats
    worst_rhat: float
    divergences: int
    predictive_p: float

    @property
    def converged(self) -> bool:
        """Whether the chains agree."""
        return self.worst_rhat < MOST_RHAT and self.divergences == 0


def estimate_apart(surveys: Sequence[SmallAreaData], seed: int) -> list[SmallAreaEstimates]:
    """Fit surveys in a process of their own; see `estimate_surveys`.

    Raises
    ------
    RuntimeError
        Where that process fails, with what it last said.
    """
    done = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", _CHILD],
        input=pickle.dumps((surveys, seed)),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace")[-2000:])
    found: list[SmallAreaEstimates] = pickle.loads(done.stdout)  # from our own child
    return found


def estimate_surveys(surveys: Sequence[SmallAreaData], seed: int) -> list[SmallAreaEstimates]:
    """Fit surveys of one shape one after the other, compiling the model once.

    y_i = a + x_area b + sum over factors v[level_i] + u[area_i] + e_i, with normal v, u and e
    and an estimated variance tau^2 of u, integrated out while the chains are drawn; an area's
    mean is the census-weighted mean over its cells
    (Gelman & Little 1997, Survey Methodology 23(2); Park, Gelman & Bafumi 2004,
    doi 10.1093/pan/mph024).
    """
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ.setdefault("XLA_FLAGS", flags)  # sums in one order: the same bytes on any machine
    import jax  # noqa: PLC0415  # heavy, optional

    n_levels = tuple(int(n) + 1 for n in surveys[0].cell_levels.max(axis=0))
    fit = jax.jit(partial(_fit, n_levels=n_levels))  # compiled once: a run by itself is not
    found = []
    for i, data in enumerate(surveys):
        scale = _scale(data)
        mean = np.where(data.number > 0, (data.mean - scale[0]) / scale[1], 0.0)
        within = data.within / scale[1] ** 2
        chains, diverging = fit(
            jax.random.PRNGKey(seed + i),
            *(data.number, mean, within, data.covariates, data.cell_levels.T),
        )
        draws = {k: np.asarray(v, np.float64) for k, v in chains.items()}
        found.append(_summary(draws, int(diverging), data, mean, scale, seed + i))
    return found


def _fit(
    key: Any,
    number: Any,
    mean: Any,
    within: Any,
    *area_and_cell: Any,
    n_levels: tuple[int, ...],
) -> tuple[dict[str, Any], Any]:
    """Draw the chains: samples by parameter, (n_chains, n_samples, …), and how many diverged."""
    from numpyro.infer import MCMC, NUTS  # noqa: PLC0415  # heavy, optional

    sampler = MCMC(
        NUTS(partial(_model, n_levels=n_levels)),
        num_warmup=_WARMUP,
        num_samples=_SAMPLES,
        num_chains=_CHAINS,
        chain_method="vectorized",
        progress_bar=False,
    )
    sampler.run(key, number, number * mean, within + (number * mean**2).sum(), *area_and_cell)
    return sampler.get_samples(group_by_chain=True), sampler.get_extra_fields()["diverging"].sum()


def _scale(data: SmallAreaData) -> tuple[float, float]:
    """Mean and standard deviation of all scores."""
    n = data.number.sum()
    centre = float((data.number * data.mean).sum() / n)
    between = float((data.number * (data.mean - centre) ** 2).sum())
    return centre, float(np.sqrt((between + data.within) / n)) or 1.0


def _model(
    number: Any, score: Any, square: Any, covariates: Any, levels: Any, n_levels: tuple[int, ...]
) -> None:
    """Write the likelihood of area and cell means with the areas' own effects u integrated out.

    Given the rest, u is normal: of N respondents of an area whose residuals add up to r, the
    integral over u gives tau^2 r^2 / (2 sigma^2 (sigma^2 + N tau^2)) less half the logarithm of
    1 + N tau^2 / sigma^2. A chain then walks in a dozen dimensions, not in one an area. `score`
    and `square` are sums over respondents, of scores by area and cell and of all their squares.
    """
    import jax.numpy as jnp  # noqa: PLC0415  # heavy, optional
    import numpyro  # noqa: PLC0415
    from numpyro import distributions as dist  # noqa: PLC0415

    n_areas, n_covariates = covariates.shape
    by_area = jnp.full(n_areas, numpyro.sample("a", dist.Normal(0.0, 1.0)))
    if n_covariates:
        b = numpyro.sample("b", dist.Normal(0.0, 0.5).expand([n_covariates]).to_event(1))
        by_area = by_area + covariates @ b
    by_cell = jnp.zeros(levels.shape[1])
    for f, n in enumerate(n_levels):
        v = numpyro.sample(f"v{f}", dist.ZeroSumNormal(0.5, event_shape=(n,)))
        by_cell = by_cell + v[levels[f]]
    between = numpyro.sample("tau", dist.HalfNormal(0.5)) ** 2
    sigma = numpyro.sample("sigma", dist.HalfNormal(1.0))
    inside, respondents = sigma**2, number.sum(1)
    in_cells = number @ by_cell
    squares = (
        square
        + (respondents * by_area - 2.0 * score.sum(1) + 2.0 * in_cells) @ by_area
        + (number.sum(0) * by_cell - 2.0 * score.sum(0)) @ by_cell
    )
    residual = score.sum(1) - respondents * by_area - in_cells
    explained = between * (residual**2 / (inside + respondents * between)).sum()
    spread = 2.0 * number.sum() * jnp.log(sigma) + jnp.log1p(respondents * between / inside).sum()
    numpyro.factor("y", -0.5 * (spread + (squares - explained) / inside))


def _summary(
    chains: dict[str, Floats],
    divergences: int,
    data: SmallAreaData,
    mean: Floats,
    scale: tuple[float, float],
    seed: int,
) -> SmallAreaEstimates:
    """Post-stratify the draws and check them; `mean` is on the model's scale."""
    from numpyro.diagnostics import split_gelman_rubin  # noqa: PLC0415  # optional

    draws = {k: v.reshape(-1, *v.shape[2:]) for k, v in chains.items()}
    by_cell = np.zeros((len(draws["a"]), len(data.cell_levels)))
    for f in range(data.cell_levels.shape[1]):
        by_cell += draws[f"v{f}"][:, data.cell_levels[:, f]]
    rng = generator(Use.SURVEY_MODEL, seed)
    by_area = _area_means(draws, by_cell, data, mean, rng)
    people = data.people.sum(axis=1, keepdims=True)
    share = data.people / np.where(people > 0, people, np.nan)
    area_means = scale[0] + scale[1] * (by_area + by_cell @ share.T)
    low, high = np.quantile(area_means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    rhat = max(float(np.max(split_gelman_rubin(v))) for v in chains.values())
    p = _predictive_p(data.number, mean, by_area, by_cell, draws["sigma"], rng)
    return SmallAreaEstimates(area_means.mean(axis=0), low, high, rhat, divergences, p)


def _area_means(
    draws: dict[str, Floats],
    by_cell: Floats,
    data: SmallAreaData,
    mean: Floats,
    rng: np.random.Generator,
) -> Floats:
    """Draw each area's level, (n_draws, n_areas): its expectation and u, normal given the rest."""
    level = np.repeat(draws["a"][:, None], len(data.number), axis=1)
    if "b" in draws:
        level += draws["b"] @ data.covariates.T
    inside, between = draws["sigma"][:, None] ** 2, draws["tau"][:, None] ** 2
    respondents = data.number.sum(axis=1)
    residual = (data.number * mean).sum(axis=1) - respondents * level - by_cell @ data.number.T
    narrowed = between / (inside + respondents * between)
    noise = rng.standard_normal(level.shape)
    return np.asarray(level + narrowed * residual + np.sqrt(narrowed * inside) * noise)


def _predictive_p(
    number: Floats,
    mean: Floats,
    by_area: Floats,
    by_cell: Floats,
    sigma: Floats,
    rng: np.random.Generator,
) -> float:
    """Share of replicated surveys in which area means differ more than in the real one."""
    asked = number.sum(axis=1)
    held = asked > 0
    shares = number[held] / asked[held, None]
    real = (shares * mean[held]).sum(axis=1).std()
    fitted = by_area[:, held] + by_cell @ shares.T
    noise = rng.standard_normal(fitted.shape) * sigma[:, None] / np.sqrt(asked[held])
    return float(np.mean((fitted + noise).std(axis=1) > real))
