"""The single test: every candidate place designed once, no placebo programme.

    Var(place error)           = a + b / events before the start        (non-negative least squares)
    Cov(two disjoint places)   = sum_k c_k exp(-distance / r_k)         (the same, over pairs)
    T(S) = theta(S) / s(S),  s(S)^2 = u' C u,  u: each place's part in the expected total

T of the programme is held against T of random programmes over the whole pool, with the treated
areas in it and the hypothesised effect divided out of their counts (which totals are linear in), so
that the interval is the inversion of one test (Alvarez & Ferman 2020, arXiv 2006.16997; Ferman &
Pinto 2019, doi 10.1162/rest_a_00759, for the scale a + b / count), and against t with as many
degrees of freedom as there are disjoint places, less one.

A prototype beside the rule that `evaluate` uses, and the measurement of both on the same worlds in
which nothing was done:

    python -m benchmarks.worlds.once --worlds 200        # docs/validation/one_test.md; goes on
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import nnls
from scipy.stats import t as student

from areaeffect.design.programme import design_programme
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.plan import disjoint
from areaeffect.placebo.programmes import centre_of, grow
from benchmarks.worlds.generate import CannotPlace
from benchmarks.worlds.rig import findings, ready
from benchmarks.worlds.rows import PLACEBOS, rows
from benchmarks.worlds.table import share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from areaeffect.findings.case import Evidence
    from areaeffect.findings.cohorts import ClaimCohorts
    from areaeffect.results import Bools, Finding, Floats, Ints

#: Reaches of the covariance, as parts of the mean distance between two places.
REACHES = (0.1, 0.3, 1.0)
_PAIRS = 8_000
#: Places of a size and start that are designed, of all that could be grown.
_CANDIDATES = 400
_ROWS = ("M 20, 4", "M 40, 4", "regional, random, 4", "regional, most deprived, 4",
         "regional, one borough, 4", "grid, 10", "grid, 30")  # fmt: skip
_KEPT = Path("build/worlds/one_test.jsonl")
_PRE, _POST = cf.OBSERVED_PRE, cf.OBSERVED_POST


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Candidates of one size and start, each designed once.

    Parameters
    ----------
    areas : of each.
    centres : (n, 2).
    totals : (n, n_outcomes, N_TOTALS).
    done : (n, n_outcomes), events after the start in areas that are treated then.
    touched : (n,), whether a treated area is among its areas.
    weights : (n, n_areas), of benchmark areas.
    sums : (n_areas, n_outcomes, 2), before and after.
    """

    areas: tuple[Ints, ...]
    centres: Floats
    totals: Floats
    done: Floats
    touched: Bools
    weights: Floats
    sums: Floats


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test says of one outcome, on the log scale.

    Parameters
    ----------
    estimate, scale : theta and s of the programme.
    p, low, high : by rank among random programmes.
    p_t, low_t, high_t : by t with `places` - 1 degrees of freedom.
    """

    estimate: float
    scale: float
    p: float
    low: float
    high: float
    p_t: float
    low_t: float
    high_t: float


def places_of(evidence: Evidence, arm: ClaimCohorts, unit: int, rng: np.random.Generator) -> Places:
    """Design every candidate of a unit's size and start once."""
    plan, panel = evidence.plan, arm.panel
    treated = np.concatenate([u.areas for u in plan.units])
    allowed = plan.pool.eligible.copy()
    allowed[treated] = True
    allowed |= np.array([r.startswith("within ") for r in plan.pool.reasons])
    size = len(plan.units[unit].areas)
    assert panel.contiguity is not None
    assert panel.centres is not None
    grown = grow(panel.contiguity, allowed, size, rng)
    grown = [grown[i] for i in rng.permutation(len(grown))[:_CANDIDATES]]
    rules = plan.machine.rules
    if len(plan.units) > 1:  # the range of a programme's levels is not that of one place
        rules = replace(rules, common_support=False)
    is_treated = np.zeros(len(allowed), dtype=bool)
    is_treated[treated] = True
    kept, totals, weights = [], [], []
    for areas in grown:
        cohort = arm.cohort(unit, areas)
        (chosen,) = design_programme([cohort], [areas], plan.pool.eligible, rules)
        if chosen is None:
            continue
        sums = arm.sums(unit, areas)
        kept.append(areas)
        row = np.zeros(len(allowed))
        row[chosen.pool] = chosen.weights
        weights.append(row)
        totals.append([cf.totals(sums[o], areas, chosen.pool, chosen.weights) for o in arm.outcomes])
    found = np.array(totals)
    done = np.zeros(found.shape[:2])
    for i, areas in enumerate(kept):
        for a in areas[is_treated[areas]]:
            for k, o in enumerate(arm.outcomes):
                done[i, k] += arm.sums(unit, areas)[o].post[a]
    touched = np.array([is_treated[a].any() for a in kept])
    added = np.stack([np.stack([sums[o].pre, sums[o].post], axis=1) for o in arm.outcomes], axis=1)
    return Places(tuple(kept), centre_of(kept, panel.centres), found, done, touched, np.array(weights), added)


@dataclass(frozen=True, slots=True)
class Components:
    """Variance a + b / count of a place's error, and covariance by distance."""

    a: float
    b: float
    reaches: Floats
    shared: Floats

    def covariance(self, apart: Floats) -> Floats:
        """Return the covariance of places so far apart."""
        return np.asarray(np.exp(-apart[..., None] / self.reaches) @ self.shared)

    def scale(self, parts: Floats, counts: Floats, centres: Floats) -> Floats:
        """Return s of programmes, (...,): parts, counts (..., G), centres (..., G, 2)."""
        parts = parts / parts.sum(axis=-1, keepdims=True)
        apart = np.sqrt(((centres[..., :, None, :] - centres[..., None, :, :]) ** 2).sum(axis=-1))
        cov = self.covariance(apart)
        own = self.a + self.b / np.maximum(counts, 1.0)
        i = np.arange(parts.shape[-1])
        cov[..., i, i] = own
        return np.sqrt(np.einsum("...i,...ij,...j->...", parts, cov, parts))


def components(banks: Sequence[Places], outcome: int, rng: np.random.Generator) -> Components:
    """Fit the variance components on candidates that no treated area is part of."""
    error, counts, centres, whose = [], [], [], []
    for bank in banks:
        e = cf.log_ratio(bank.totals[:, outcome], "change")
        good = np.isfinite(e) & ~bank.touched
        error.append(e[good])
        counts.append(bank.totals[good, outcome, _PRE])
        centres.append(bank.centres[good])
        whose += [bank.areas[i] for i in np.flatnonzero(good)]
    e, n, xy = np.concatenate(error), np.concatenate(counts), np.concatenate(centres)
    # squared errors vary as the square of what they estimate: weigh by a first fit
    columns = np.column_stack([np.ones(len(e)), 1 / np.maximum(n, 1.0)])
    weight = np.ones(len(e))
    for _ in range(3):
        (a, b), _ = nnls(columns * weight[:, None], e**2 * weight)
        weight = 1 / np.maximum(columns @ (a, b), 1e-9)
    i, j = rng.integers(len(e), size=(2, _PAIRS))
    near = np.sqrt(((xy[i] - xy[j]) ** 2).sum(axis=1))
    inside = np.zeros((len(whose), 1 + max(int(w.max()) for w in whose)), dtype=bool)
    for k, areas in enumerate(whose):
        inside[k, areas] = True
    apart = ~(inside[i] & inside[j]).any(axis=1)
    i, j, near = i[apart], j[apart], near[apart]
    reaches = np.array(REACHES) * near.mean()
    sd = np.sqrt(columns @ (a, b))
    basis = np.exp(-near[:, None] / reaches)
    w = 1 / (sd[i] * sd[j])
    shared, _ = nnls(basis * w[:, None], e[i] * e[j] * w)
    most = a + b / n.mean()
    if shared.sum() > most:  # two places at one point share no more than they have
        shared *= most / shared.sum()
    return Components(float(a), float(b), reaches, shared)


def every_outcome(evidence: Evidence, disjoint: int, draws: int = 999, seed: int = 0) -> tuple[Tested, ...]:
    """Test every outcome of a programme of change claims."""
    plan = evidence.plan
    arm = plan.leading
    rng = np.random.default_rng([seed, 5])
    classes: dict[tuple[int, int], Places] = {}
    mine = []
    for g, unit in enumerate(plan.units):
        key = (unit.start, len(unit.areas))
        if key not in classes:
            classes[key] = places_of(evidence, arm, g, rng)
        mine.append(classes[key])
    picked = _programmes(mine, len(plan.pool.eligible), draws, rng)
    banks = list(classes.values())
    real_centres = centre_of([u.areas for u in plan.units], arm.panel.centres)
    found = []
    for o in arm.outcomes:
        fitted = components(banks, o, rng)
        totals = np.stack([b.totals[picked[:, g], o] for g, b in enumerate(mine)], axis=1)
        _without_members(totals, mine, picked, o)
        done = np.stack([b.done[picked[:, g], o] for g, b in enumerate(mine)], axis=1).sum(axis=1)
        centres = np.stack([b.centres[picked[:, g]] for g, b in enumerate(mine)], axis=1)
        scales = fitted.scale(totals[..., cf.EXPECTED_POST], totals[..., _PRE], centres)
        own = evidence.real[:, o]
        scale = float(fitted.scale(own[:, cf.EXPECTED_POST], own[:, _PRE], real_centres))
        estimate = float(cf.log_ratio(own.sum(axis=0), "change"))
        found.append(_test(estimate, scale, totals.sum(axis=1), done, scales, disjoint))
    return tuple(found)


def _without_members(totals: Floats, mine: Sequence[Places], picked: Ints, outcome: int) -> None:
    """Take the other members of each random programme out of its benchmark areas, in place."""
    for d, programme in enumerate(picked.tolist()):
        areas = np.concatenate([b.areas[i] for b, i in zip(mine, programme, strict=True)])
        for g, (bank, i) in enumerate(zip(mine, programme, strict=True)):
            part = bank.weights[i, areas]
            lost, whole = part.sum(), bank.weights[i].sum()
            if 0 < lost < 0.9 * whole:
                ends = totals[d, g, [cf.EXPECTED_PRE, cf.EXPECTED_POST]]
                left = ends - part @ bank.sums[areas, outcome]
                totals[d, g, [cf.EXPECTED_PRE, cf.EXPECTED_POST]] = left * whole / (whole - lost)


def _programmes(mine: Sequence[Places], n_areas: int, draws: int, rng: np.random.Generator) -> Ints:
    """Draw random programmes of disjoint candidates, (draws, G); crowded draws are drawn again."""
    found: list[list[int]] = []
    while len(found) < draws:
        used, picked = np.zeros(n_areas, dtype=bool), []
        for bank in mine:
            for i in rng.integers(len(bank.areas), size=60):
                if not used[bank.areas[i]].any():
                    used[bank.areas[i]] = True
                    picked.append(int(i))
                    break
        if len(picked) == len(mine):
            found.append(picked)
    return np.array(found)


def _test(
    estimate: float, scale: float, total: Floats, done: Floats, scales: Floats, disjoint: int
) -> Tested:
    def p_of(effect: float) -> float:
        without = total.copy()
        without[:, _POST] += done * np.expm1(-effect)
        drawn = cf.log_ratio(without, "change") / scales
        drawn = drawn[np.isfinite(drawn)]
        mine = (estimate - effect) / scale
        low, high = (drawn <= mine).sum(), (drawn >= mine).sum()
        return min(1.0, 2 * (1 + min(low, high)) / (len(drawn) + 1))

    cut = float(student.ppf(0.975, max(disjoint - 1, 1))) * scale
    p_t = float(2 * student.sf(abs(estimate) / scale, max(disjoint - 1, 1)))
    return Tested(
        estimate, scale, p_of(0.0), _edge(p_of, estimate, -scale), _edge(p_of, estimate, scale),
        p_t, estimate - cut, estimate + cut,
    )  # fmt: skip


def _edge(p_of: Callable[[float], float], estimate: float, step: float) -> float:
    """Return where the test at 5 % begins to reject, by bisection."""
    inside, outside = 0.0, 8.0
    if p_of(estimate + outside * step) > 0.05:
        return float(np.copysign(np.inf, step))
    while outside - inside > 0.01:
        middle = (inside + outside) / 2
        if p_of(estimate + middle * step) > 0.05:
            inside = middle
        else:
            outside = middle
    return estimate + inside * step


def measure(task: tuple[str, int]) -> dict[str, object]:
    """Test one world in which nothing was done by both rules; processor seconds of each."""
    name, seed = task
    found: dict[str, object] = {"row": name, "seed": seed}
    begin = time.process_time()
    try:
        made = ready(rows()[name].world, seed, PLACEBOS)
    except CannotPlace:
        return found
    nothing = findings(made, np.ones((len(made.drawn.counts), len(made.drawn.places))), seed)
    today = _of_evaluate(nothing[0])
    took = time.process_time() - begin
    if today is None:
        return found
    places = disjoint(made.plan, tuple(range(len(made.plan.units))))[1]
    begin = time.process_time()
    once = every_outcome(made.evidence, places, 499, seed)[0]
    return found | {
        "places": places, "took": [took, time.process_time() - begin], "today": today,
        "rank": [once.p, once.low, once.high], "t": [once.p_t, once.low_t, once.high_t],
    }  # fmt: skip


def _of_evaluate(f: Finding) -> list[float] | None:
    if f.low is None or f.high is None or f.p_value is None:
        return None
    return [f.p_value, float(np.log1p(f.low)), float(np.log1p(f.high))]


def table(kept: Sequence[dict[str, Any]]) -> str:
    """Return size, half-width against the rule of `evaluate`, and time, by row."""
    lines = [
        "| worlds of | worlds | places | p ≤ 0.05: rule of `evaluate` | one test, rank "
        "| one test, t | half-width against the rule, rank "
        "| t | processor seconds, rule | one test |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in _ROWS:
        own = [r for r in kept if r["row"] == name and "today" in r]
        if len(own) < 2:
            continue
        cells = [share(float(r[k][0] <= 0.05) for r in own) for k in ("today", "rank", "t")]
        for k in ("rank", "t"):
            wide = [np.log((r[k][2] - r[k][1]) / (r["today"][2] - r["today"][1])) for r in own]
            known = np.array(wide)[np.isfinite(wide)]
            cells.append(f"{np.exp(known.mean()):.3f} ({known.std() / np.sqrt(len(known)):.3f})")
        took = np.mean([r["took"] for r in own], axis=0)
        places = np.median([r["places"] for r in own])
        cells += [f"{t:.2f}" for t in took]
        lines.append(f"| {name} | {len(own)} | {places:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worlds.once", description=__doc__)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _KEPT.parent.mkdir(parents=True, exist_ok=True)
    _KEPT.touch()
    kept = [json.loads(line) for line in _KEPT.read_text(encoding="utf-8").splitlines()]
    done = {(r["row"], r["seed"]) for r in kept}
    tasks = [(name, s) for s in range(1, given.worlds + 1) for name in _ROWS]
    with (
        multiprocessing.get_context("spawn").Pool(given.processes) as pool,
        _KEPT.open("a", encoding="utf-8") as out,
    ):
        for found in pool.imap_unordered(measure, [t for t in tasks if t not in done]):
            kept.append(found)
            out.write(json.dumps(found) + "\n")
            out.flush()
    print(table(kept))


if __name__ == "__main__":
    main()
