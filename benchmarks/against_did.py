"""The main effect at national size, ours beside diff-diff's Callaway–Sant'Anna on the same panel.

33,755 areas x 60 months, 150 neighbourhoods of five areas in three cohorts, treated areas at about
1.5 times the level of the others, multiplicative season and trend, Poisson counts, true effect
0.85. Both sides start from data in memory and run in this process, one thread of linear algebra.
Times are processor time, which other work on the machine does not lengthen much. Ours:
characteristics, search for the 60 nearest areas of each treated one, 150 calibrations, totals and
the ratio. Theirs: `fit` on the long table, without covariates and with those that ours is
calibrated on; also on half-years. Their time holds an analytical standard error; our placebo
interval is another benchmark.

`python -m benchmarks.against_did --replicates 20` measures the errors of both as well.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.calibration import Matching
from areaeffect.design.programme import Rules, design_programme
from areaeffect.estimate.counterfactual import N_TOTALS, log_ratio, totals
from areaeffect.findings.cohorts import ClaimCohorts, coverage_of
from areaeffect.panel import Measure, Neighbourhood, Panel
from areaeffect.periods import PeriodKind, Periods
from areaeffect.placebo.workers import single_threaded

if TYPE_CHECKING:
    import pandas as pd

N_AREAS, N_MONTHS, N_PLACES, SIZE = 33_755, 60, 150, 5
STARTS = (24, 30, 36)
EFFECT = 0.85
_REPEATS = 5


@dataclass(frozen=True)
class Country:
    """One simulated country: counts, residents, and the treated areas of each neighbourhood.

    `covariates` is what the design may know: residents, and where `known` a score that explains
    why treated areas stand high.
    """

    counts: np.ndarray
    residents: np.ndarray
    covariates: np.ndarray
    places: tuple[np.ndarray, ...]
    starts: tuple[int, ...]


def draw(seed: int, *, known: bool) -> Country:
    """Draw a country whose treated areas stand about 1.5 times as high as the others.

    Where `known`, they were picked by a published score that half of the level follows; else by
    the level itself, which nothing but the counts before the start tells of.
    """
    rng = np.random.default_rng(seed)
    residents = rng.integers(1200, 1900, N_AREAS).astype(float)
    score = rng.normal(size=N_AREAS)
    if known:
        level = 2 * np.exp(0.5 * score - 0.125) * rng.gamma(8.0, 1 / 8, N_AREAS)
        odds = np.exp(0.8 * score)
    else:
        level = rng.gamma(2.0, 1.0, N_AREAS)
        odds = level.copy()
    level *= residents / residents.mean()
    covariates = np.column_stack([residents, score] if known else [residents])
    treated = rng.choice(N_AREAS, N_PLACES * SIZE, replace=False, p=odds / odds.sum())
    places = tuple(np.sort(p) for p in treated.reshape(N_PLACES, SIZE))
    starts = tuple(STARTS[g % len(STARTS)] for g in range(N_PLACES))
    months = np.arange(N_MONTHS)
    path = (1 + 0.15 * np.sin(2 * np.pi * months / 12)) * (1 - 0.004 * months)
    mean = level[:, None] * path
    for place, start in zip(places, starts, strict=True):
        mean[place, start:] *= EFFECT
    return Country(rng.poisson(mean).astype(float), residents, covariates, places, starts)


def ours(country: Country) -> float:
    """Return the effect by the default design: 60 nearest, each neighbourhood calibrated."""
    names, n = np.arange(N_AREAS).astype(str), country.covariates.shape[1]
    reasons = np.zeros(country.counts.shape, dtype=np.uint8)
    periods = Periods(PeriodKind.MONTH, 0, N_MONTHS)
    measure = Measure(
        name="crime",
        is_count=True,
        periods=periods,
        values=country.counts,
        reasons=reasons,
        exposure=country.residents,
    )
    panel = Panel(
        areas=names,
        names=names,
        measures={"crime": measure},
        covariates=country.covariates,
        covariate_names=("residents", "score")[:n],
        covariate_as_of=("",) * n,
        attributes={},
        contiguity=None,
        near=None,
        gaps=(),
        releases=(),
        notes=(),
    )
    units = tuple(
        Neighbourhood(
            initiative="I", name=str(g), areas=p, start=s, start_kind=PeriodKind.MONTH, resident_led=None
        )
        for g, (p, s) in enumerate(zip(country.places, country.starts, strict=True))
    )
    eligible = np.ones(N_AREAS, dtype=bool)
    eligible[np.concatenate(country.places)] = False
    arm = ClaimCohorts(
        claim="change", outcomes={0: 0}, panel=panel, measures=(measure,),
        coverage=coverage_of((measure,)), eligible=eligible, units=units,
        history="12-month blocks", nearest=60,
    )  # fmt: skip
    cohorts = [arm.cohort(g, p) for g, p in enumerate(country.places)]
    for start in STARTS:  # one search a cohort
        mine = [g for g, s in enumerate(country.starts) if s == start]
        found = cohorts[mine[0]].nearest
        if found is not None:
            found.of(np.concatenate([country.places[g] for g in mine]))
    weighted = design_programme(cohorts, country.places, eligible, Rules(60, True, None, Matching()))
    total = np.zeros(N_TOTALS)
    for g, chosen in enumerate(weighted):
        if chosen is not None:
            sums = arm.sums(g, country.places[g])[0]
            total += totals(sums, country.places[g], chosen.pool, chosen.weights)[:N_TOTALS]
    return float(np.expm1(log_ratio(total, "change")))


def long_table(country: Country, months: int) -> pd.DataFrame:
    """Return one row an area and stretch of `months`, as diff-diff asks for."""
    import pandas as pd

    counts = country.counts.reshape(N_AREAS, -1, months).sum(axis=2)
    first = np.zeros(N_AREAS, dtype=np.int64)
    for place, start in zip(country.places, country.starts, strict=True):
        first[place] = start // months + 1
    n = counts.shape[1]
    return pd.DataFrame(
        {
            "area": np.repeat(np.arange(N_AREAS), n),
            "time": np.tile(np.arange(1, n + 1), N_AREAS),
            "y": counts.ravel(),
            "first": np.repeat(first, n),
            "residents": np.repeat(country.residents / 1000, n),
            "year_1": np.repeat(country.counts[:, :12].sum(axis=1), n),
            "year_2": np.repeat(country.counts[:, 12:24].sum(axis=1), n),
        }
    )


#: What ours is calibrated on, as far as a covariate may say it for all three cohorts.
COVARIATES = ["residents", "year_1", "year_2"]


def theirs(table: pd.DataFrame, covariates: list[str] | None = None) -> float:
    """Return Callaway and Sant'Anna's overall effect, additive; doubly robust with covariates."""
    import diff_diff

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = diff_diff.CallawaySantAnna().fit(
            table, outcome="y", unit="area", time="time", first_treat="first", covariates=covariates
        )
    return float(found.overall_att)


def as_ratio(country: Country, additive: float, months: int) -> float:
    """Express an additive effect as a share of the treated mean that would have been."""
    cells = [
        country.counts[p, s:].sum() / (len(p) * (N_MONTHS - s) / months)
        for p, s in zip(country.places, country.starts, strict=True)
    ]
    sizes = [len(p) * (N_MONTHS - s) for p, s in zip(country.places, country.starts, strict=True)]
    mean = float(np.average(cells, weights=sizes))
    return additive / (mean - additive)


def run() -> list[str]:
    """Measure times, and return lines to print."""
    with single_threaded():
        return _times()


def _times() -> list[str]:
    country = draw(1, known=False)
    monthly, half_yearly = long_table(country, 1), long_table(country, 6)
    rows = {
        "ours": lambda: ours(country),
        "Callaway–Sant'Anna, months": lambda: theirs(monthly),
        "Callaway–Sant'Anna, months, on residents and two years of history": lambda: theirs(
            monthly, COVARIATES
        ),
        "Callaway–Sant'Anna, half-years": lambda: theirs(half_yearly),
    }
    seconds: dict[str, list[float]] = {name: [] for name in rows}
    for call in rows.values():
        call()  # imports, caches
    for _ in range(_REPEATS):  # in turns, so that both sides meet the same load
        for name, call in rows.items():
            begin = time.process_time()
            call()
            seconds[name].append(time.process_time() - begin)
    best = float(np.median(seconds["ours"]))
    return [
        f"{name}: {np.median(s):.3f} s (median of {_REPEATS}; {min(s):.3f} to {max(s):.3f}), "
        f"{np.median(s) / best:.1f} x ours"
        for name, s in seconds.items()
    ]


def errors(replicates: int, *, known: bool) -> list[str]:
    """Measure bias and spread of both sides over fresh countries, and return lines to print."""
    found: dict[str, list[float]] = {"ours": [], "months": [], "half-years": []}
    for seed in range(1, replicates + 1):
        country = draw(seed, known=known)
        found["ours"].append(ours(country))
        for name, months in (("months", 1), ("half-years", 6)):
            additive = theirs(long_table(country, months))
            found[name].append(as_ratio(country, additive, months))
    why = "a score that is matched on" if known else "their level, known from counts alone"
    lines = [
        f"treated areas picked by {why}; true effect {EFFECT - 1:+.3f}, {replicates} countries "
        f"(seeds 1 to {replicates})"
    ]
    for name, values in found.items():
        error = np.std(values, ddof=1) / np.sqrt(replicates)
        lines.append(
            f"{name}: mean {np.mean(values):+.4f} (Monte Carlo error {error:.4f}), "
            f"standard deviation {np.std(values, ddof=1):.4f}"
        )
    return lines


def main() -> None:
    """Print times, and errors where replicates are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=0)
    replicates = parser.parse_args().replicates
    for line in run():
        print(line)
    for known in (True, False) if replicates else ():
        for line in errors(replicates, known=known):
            print(line)


if __name__ == "__main__":
    main()
