"""London: programmes placed by laws that the placebo generator does not know.

A bank of placebo programmes is drawn once a size: contiguous neighbourhoods of five LSOAs at
random in the most deprived 30 %. Programmes drawn by other laws, never in the bank, are held
against it. Nothing was done in any of them, so every rejection is wrong.

    python -m benchmarks.laws --bank 4999 --programmes 500   # docs/validation/laws.md
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.assembly.assemble import assemble
from areaeffect.checks.placement import (
    feature_names,
    harmful_tails,
    percentiles,
    placement,
    profile,
)
from areaeffect.design.pool import make_pool
from areaeffect.design.programme import Rules
from areaeffect.estimate.counterfactual import OBSERVED_PRE, log_ratio
from areaeffect.estimate.inference import infer, pool_share
from areaeffect.findings.cohorts import ClaimCohorts, coverage_of
from areaeffect.panel import Neighbourhood, Panel
from areaeffect.periods import PeriodKind
from areaeffect.placebo.places import grouped, grow
from areaeffect.placebo.programmes import (
    Candidates,
    Machine,
    count_disjoint,
    draw_programme,
    programme_of,
    run_draws,
    run_programme,
)
from areaeffect.placebo.workers import single_threaded
from areaeffect.results import Bools, Floats, Ints
from areaeffect.study.file import read_study
from areaeffect.study.model import resolve

STUDY = Path(__file__).resolve().parent.parent / "studies" / "london_licensing" / "study.toml"
WARDS = "${AREAEFFECT_SHARED_DATA}/geography/lookup_lsoa11_ward17.parquet"
SIZES = (3, 10, 30)
START = 2013 * 12  # five years before, four after
AREAS = 5
_DEPRIVED = 0.3
_EXTREME = (0.1, 0.2)  # of candidates; the second where the first holds too few
_SEED = 20130101
_PROFILES = 999

Programme = list[Ints]
Law = Callable[[int, np.random.Generator], Programme | None]


@dataclass(frozen=True, slots=True, eq=False)
class London:
    """What every size shares.

    Parameters
    ----------
    panel : of the London study.
    eligible : covered areas.
    candidates : contiguous fives in the most deprived 30 %.
    deprived : (n_areas,), that part.
    boroughs, wards : (n_areas,), names.
    traits : (n_areas, 3), percentiles of level, recent rise and deprivation before the start.
    arm : the cohorts.
    rules : of the pool.
    """

    panel: Panel
    eligible: Bools
    candidates: tuple[Ints, ...]
    deprived: Bools
    boroughs: Ints
    wards: Ints
    traits: Floats
    arm: ClaimCohorts
    rules: Rules


def london() -> London:
    """Read the panel and make ready what every size shares."""
    file = read_study(STUDY)
    panel = assemble(file).panel
    measure = next(iter(panel.measures.values()))
    covered = measure.observed.all(axis=1) & np.isfinite(panel.covariates).all(axis=1)
    nothing = np.empty(0, np.int64)
    pool = make_pool(
        len(panel.areas), nothing, nothing, [(~covered, "not covered")],
        near=panel.near, buffer_km=1.0, contiguity=panel.contiguity, smallest=AREAS,
    )  # fmt: skip
    share = panel.covariates[:, 1]  # households that are not deprived in any way
    deprived = pool.eligible & (share <= np.quantile(share[pool.eligible], _DEPRIVED))
    before, _ = measure.periods.split(START, PeriodKind.MONTH)
    past = measure.values[:, before]
    last = past[:, -12:].sum(axis=1) + 0.5
    rise = last / (past[:, :-12].sum(axis=1) / (past.shape[1] / 12 - 1) + 0.5)
    level = past.sum(axis=1) / measure.exposure
    traits = np.column_stack(
        [percentiles(np.where(pool.eligible, x, np.nan)) for x in (level, rise, -share)]
    )
    table = pd.read_parquet(resolve(WARDS, file.folder)).set_index("lsoa11_code")["ward17_code"]
    wards = table.reindex(panel.areas).fillna("").to_numpy(dtype=str)
    grown = grow(panel.contiguity, deprived, AREAS, np.random.default_rng(_SEED))
    unit = Neighbourhood("Bank", "", nothing, START, PeriodKind.MONTH, None)
    arm = ClaimCohorts(
        "change", (0,), panel, (measure,), coverage_of((measure,)), pool.eligible,
        (unit,) * SIZES[-1], file.study.design.history, file.study.design.nearest,
    )  # fmt: skip
    boroughs = panel.attributes["london.borough"]
    rules = Rules(file.study.design.nearest, True, panel.near)
    cohort = arm.cohort(0, grown[0])
    cohort.nearest.of(np.flatnonzero(pool.eligible))  # before anything is forked
    return London(
        panel, pool.eligible, tuple(grown), deprived, boroughs, wards, traits, arm, rules
    )  # fmt: skip


def machine_of(city: London, n: int) -> Machine:
    """Return what draws and designs programmes of the bank."""
    bank = Candidates((city.candidates,))
    return Machine((city.arm,), (bank,) * n, city.eligible, city.rules, 1, _SEED + n)


def share_of(city: London, n: int) -> float:
    """Return which share of the places that could be drawn a programme of the bank takes up."""
    banks, n_areas = machine_of(city, n).banks, len(city.eligible)
    return pool_share(n, count_disjoint(banks, n_areas, np.random.default_rng(_SEED), n_areas)[1])


def laws(city: London) -> dict[str, Law]:
    """Return the laws of placement by name."""
    means = np.array([city.traits[c].mean(axis=0) for c in city.candidates])

    def from_these(options: tuple[Ints, ...]) -> Law:
        return lambda n, rng: draw_programme(
            (Candidates((options,)),) * n, len(city.eligible), None, rng
        )

    def extreme(trait: int) -> Law:
        def draw(n: int, rng: np.random.Generator) -> Programme | None:
            for share in _EXTREME:
                cut = np.quantile(means[:, trait], 1 - share)
                some = tuple(
                    c for c, m in zip(city.candidates, means, strict=True) if m[trait] >= cut
                )
                found = from_these(some)(n, rng)
                if found is not None:
                    return found
            return None

        return draw

    def one_borough(n: int, rng: np.random.Generator) -> Programme | None:
        inside: dict[str, list[Ints]] = {}
        for c in city.candidates:
            names = set(city.boroughs[c].tolist())
            if len(names) == 1:
                inside.setdefault(names.pop(), []).append(c)
        for name in rng.permutation(sorted(inside)):
            found = from_these(tuple(inside[str(name)]))(n, rng)
            if found is not None:
                return found
        return None

    whole = grouped(city.wards, city.eligible, city.eligible)
    poor = tuple(w for w in whole if city.deprived[w].mean() >= 0.5)  # most of it is deprived
    return {
        "the bank's own": from_these(city.candidates),
        "high level": extreme(0),
        "recent rise": extreme(1),
        "most deprived": extreme(2),
        "one borough": one_borough,
        "whole wards": from_these(poor),
    }


_city: London | None = None


def _draws(task: tuple[int, Ints]) -> Floats:
    assert _city is not None
    n, numbers = task
    return run_draws(machine_of(_city, n), numbers)


def _tests(task: tuple[int, list[Programme]]) -> list[Floats]:
    assert _city is not None
    n, programmes = task
    machine = machine_of(_city, n)
    return [run_programme(machine, p) for p in programmes]


def placed(city: London, programme: Programme) -> Floats:
    """Describe where a programme is, in the features that `NAMES` names."""
    traits = [city.traits] * len(programme)
    first = profile(programme, traits, city.panel.centres, city.boroughs)
    return np.append(first, profile(programme, traits, None, city.wards)[-1])


NAMES = (
    *feature_names(("level", "recent rise", "deprivation"), centres=True, districts=True),
    "whole wards",
)


#: Another check answers for these; and whole wards are whole districts of a smaller kind.
ANSWERED = ("level", "recent rise", "whole wards")


def one_size(
    city: London, n: int, n_bank: int, n_programmes: int, pool: multiprocessing.pool.Pool
) -> list[str]:
    """Measure every law at one size; return rows of the table."""
    chunks = np.array_split(np.arange(n_bank), max(1, n_bank // 25))
    bank = np.concatenate(pool.map(_draws, [(n, c) for c in chunks], chunksize=1)).sum(axis=1)
    estimates, counts = log_ratio(bank[:, 0], "change"), bank[:, 0, OBSERVED_PRE]
    machine, taken = machine_of(city, n), share_of(city, n)
    profiles = []
    for number in range(min(_PROFILES, n_bank)):
        programme = programme_of(machine, number)
        if programme is not None:
            profiles.append(placed(city, programme))
    drawn = np.array(profiles)
    counted = harmful_tails(NAMES, drawn, estimates[: len(drawn)], ANSWERED)
    lines = [
        f"| {n} | bank of {np.isfinite(estimates).sum():,} | {estimates.mean():+.4f} "
        f"({estimates.std() / np.sqrt(len(estimates)):.4f}) | {estimates.std():.4f} | | | | |"
    ]
    for k, (name, law) in enumerate(laws(city).items()):
        programmes = []
        for i in range(n_programmes):
            found = law(n, np.random.default_rng([_SEED, n, k, i]))
            if found is None:
                break
            programmes.append(found)
        if len(programmes) < n_programmes:
            lines.append(f"| {n} | {name} | cannot be drawn: too few places | | | | | |")
            continue
        parts = [programmes[i : i + 10] for i in range(0, len(programmes), 10)]
        totals = [
            t for part in pool.map(_tests, [(n, p) for p in parts], chunksize=1) for t in part
        ]
        total = np.array([t.sum(axis=0)[0] for t in totals])
        theirs, own = log_ratio(total, "change"), total[:, OBSERVED_PRE]
        good = np.isfinite(theirs)
        wrong = np.array(
            [
                infer(e, estimates, counts, c, "lower", taken).p_value <= 0.05
                for e, c in zip(theirs[good], own[good], strict=True)
            ]
        )
        warned = np.array(
            [
                placement(NAMES, placed(city, p), drawn, counted).is_unlike
                for p, ok in zip(programmes, good, strict=True)
                if ok
            ]
        )
        caught = f"{warned[wrong].mean():.2f}" if wrong.any() else "none"
        quiet = wrong[~warned]
        lines.append(
            f"| {n} | {name} | {theirs[good].mean():+.4f} "
            f"({theirs[good].std() / np.sqrt(good.sum()):.4f}) | {theirs[good].std():.4f} "
            f"| {wrong.mean():.3f} | {warned.mean():.3f} | {caught} "
            f"| {f'{quiet.mean():.3f} of {len(quiet)}' if len(quiet) else 'none'} |"
        )
    return lines


HEAD = (
    "| neighbourhoods | law | mean of the log effect (its error) | sd | p ≤ 0.05 | warned "
    "| warned, of the wrong rejections | p ≤ 0.05 where not warned |\n"
    "|---|---|---|---|---|---|---|---|"
)


def measure(
    n_bank: int, n_programmes: int, sizes: tuple[int, ...], processes: int
) -> Iterator[str]:
    """Measure every size; give the lines of the table as they are known."""
    global _city  # noqa: PLW0603  # shared with the workers by fork
    with single_threaded():
        _city = london()
        yield HEAD
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            for n in sizes:
                yield from one_size(_city, n, n_bank, n_programmes, pool)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bank", type=int, default=4999)
    parser.add_argument("--programmes", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for line in measure(options.bank, options.programmes, tuple(options.sizes), options.processes):
        print(line, flush=True)


if __name__ == "__main__":
    main()
