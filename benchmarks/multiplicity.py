"""Size and power of the max-T rule: each tail in units of its own critical value, against |T|.

Findings are drawn from known laws, skewed and not, so that the null is true where it is said to
be; placebos come from the same law. Family-wise error: some interval that holds for all findings
together excludes zero although its effect is zero.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.estimate.inference import infer
from areaeffect.estimate.multiplicity import max_t

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.estimate.inference import PlaceboInference
    from areaeffect.results import Floats

STUDY = Path(__file__).resolve().parent.parent / "studies" / "seattle_dmi" / "study.toml"
_FINDINGS = 4
_SHIFT = 3.2  # standard deviations: about 80 % power for one finding alone


@dataclass(frozen=True, slots=True)
class Law:
    """How one study's findings scatter where nothing happened: standard normals to estimates."""

    name: str
    transform: Callable[[Floats], Floats]


def _rare(z: Floats) -> Floats:
    """Log of a small count (mean 12, gamma noise) over its mean: a long lower tail."""
    from scipy.stats import nbinom, norm

    count = nbinom.ppf(norm.cdf(z), 12, 0.5)
    return np.log((count + 0.25) / 12.0)


def _mixed(z: Floats) -> Floats:
    """One finding with tails of Student's t with 3 degrees of freedom, the others normal."""
    from scipy.stats import norm, t

    found = z.copy()
    found[..., 0] = t.ppf(norm.cdf(z[..., 0]), 3)
    return found


def _opposite(z: Floats) -> Floats:
    """Two findings with a long lower tail, two with a long upper one."""
    sign = np.where(np.arange(z.shape[-1]) % 2 == 0, 1.0, -1.0)
    return np.asarray(sign * np.expm1(0.7 * z * sign) / 0.7)


LAWS = (
    Law("normal", lambda z: z),
    Law("rare counts (log, lower tail)", _rare),
    Law("log-normal (upper tail)", lambda z: np.asarray(np.expm1(0.7 * z) / 0.7)),
    Law("long tails on opposite sides", _opposite),
    Law("one heavy-tailed, three normal", _mixed),
)


def draw(law: Law, n: int, correlation: float, rng: np.random.Generator) -> Floats:
    """Draw n sets of findings, (n, n_findings), each with standard deviation about 1."""
    shared = rng.normal(size=(n, 1))
    own = rng.normal(size=(n, _FINDINGS))
    found = law.transform(np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    return np.asarray(found - _median(law))


def _median(law: Law) -> Floats:
    return law.transform(np.zeros((1, _FINDINGS)))


def plain(found: list[PlaceboInference]) -> tuple[Floats, Floats]:
    """Single-step max-|T|: adjusted p-values, and the one critical value for all."""
    drawn = np.abs(np.column_stack([f.statistics for f in found]))
    largest = np.nanmax(drawn, axis=1)
    observed = np.abs([f.statistic for f in found])
    p = (1 + (largest[:, None] >= observed).sum(axis=0)) / (len(largest) + 1)
    cut = np.sort(largest)[-int(np.floor(0.05 * (len(largest) + 1)))]
    return p, np.full(len(found), cut)


def rejected(found: list[PlaceboInference], form: str) -> Floats:
    """Tell which of the findings' intervals exclude zero."""
    statistic = np.array([f.statistic for f in found])
    if form == "unadjusted":
        cuts = np.array([f.critical for f in found])
        return (statistic < cuts[:, 0]) | (statistic > cuts[:, 1])
    if form == "plain":
        return np.abs(statistic) > plain(found)[1]
    joint = max_t([f.statistics for f in found], list(statistic), [f.critical for f in found])
    return (statistic < joint.low) | (statistic > joint.high)


FORMS = ("tail-scaled", "plain", "unadjusted")


def cell(law: Law, correlation: float, replicates: int, draws: int, seed: int) -> list[str]:
    """Measure one law: family-wise error with nothing, and with half, moved; power down and up."""
    rng = np.random.default_rng([seed, LAWS.index(law), round(10 * correlation)])
    ones = np.ones(draws)
    sd = draw(law, 200_000, correlation, rng).std(axis=0)
    hits = {(form, what): 0.0 for form in FORMS for what in ("null", "half", "down", "up")}
    for _ in range(replicates):
        placebos = draw(law, draws, correlation, rng)
        noise = draw(law, 1, correlation, rng)[0]
        for what, shift in (
            ("null", np.zeros(_FINDINGS)),
            ("down", -_SHIFT * sd * np.array([1, 1, 0, 0])),
            ("up", _SHIFT * sd * np.array([1, 1, 0, 0])),
        ):
            found = [
                infer(float(noise[k] + shift[k]), placebos[:, k], ones, 1.0, "lower", 0.0)
                for k in range(_FINDINGS)
            ]
            for form in FORMS:
                seen = rejected(found, form)
                if what == "null":
                    hits[form, what] += float(seen.any())
                else:
                    hits[form, what] += float(seen[:2].mean())
                    hits[form, "half"] += 0.5 * float(seen[2:].any())
    return [
        f"| {law.name} | {correlation:g} | {form} | "
        + " | ".join(
            f"{hits[form, what] / replicates:.3f}" for what in ("null", "half", "down", "up")
        )
        + " |"
        for form in FORMS
    ]


def seattle() -> list[str]:
    """Return both forms' adjusted p-values and intervals for the Seattle study."""
    from areaeffect.assembly.assemble import assemble
    from areaeffect.commands.evaluate import single_threaded, version_of_code
    from areaeffect.findings.conclude import case_of
    from areaeffect.findings.describe import Evidence, groups_of
    from areaeffect.findings.plan import disjoint, make_plan
    from areaeffect.placebo.programmes import run_programme
    from areaeffect.placebo.workers import run_all
    from areaeffect.study.file import read_study

    with single_threaded():
        file = read_study(STUDY)
        data = assemble(file)
        plan = make_plan(file, data, version_of_code())
        measures = tuple(data.panel.measures[o.name] for o in file.study.outcome)
        real = run_programme(plan.machine, [u.areas for u in plan.units])
        drawn = run_all(plan.machine, file.study.analysis.placebos, 2, lambda _n: None)
    evidence = Evidence(file.study, plan, measures, real, drawn)
    (group,) = groups_of(plan.units)
    apart = disjoint(plan, group.units)
    found = []
    for o in range(len(measures)):
        case = case_of(evidence, group, o, apart, is_ratio=True)
        estimate, placebos = float(case.statistic(real[:, o])), case.statistic(drawn[:, :, o])
        counts = case.counts(drawn[:, :, o])
        found.append(
            infer(estimate, placebos, counts, float(case.counts(real[:, o])), "lower", case.taken)
        )
    joint = max_t(
        [f.statistics for f in found], [f.statistic for f in found], [f.critical for f in found]
    )
    p_plain, cuts = plain(found)
    lines = [
        "| outcome | p | tail-scaled p | tail-scaled interval | plain p | plain interval |",
        "|---|---|---|---|---|---|",
    ]
    for k, (outcome, f) in enumerate(zip(file.study.outcome, found, strict=True)):
        spans = [
            (f.statistic - high, f.statistic - low)
            for low, high in ((joint.low[k], joint.high[k]), (-cuts[k], cuts[k]))
        ]
        scaled, symmetric = (
            " … ".join(f"{100 * np.expm1(x * f.scale):+.1f} %" for x in span) for span in spans
        )
        p = max(float(joint.p_adjusted[k]), f.p_value)
        lines.append(
            f"| {outcome.title} | {f.p_value:.3f} | {p:.3f} | {scaled} | "
            f"{p_plain[k]:.3f} | {symmetric} |"
        )
    return lines


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--draws", type=int, default=999)
    parser.add_argument("--seed", type=int, default=20231219)
    parser.add_argument("--seattle", action="store_true")
    given = parser.parse_args()
    if given.seattle:
        print("\n".join(seattle()))
        return
    names = ("FWER, nothing moved", "FWER, half moved", "power, down", "power, up")
    print(f"| law | correlation | form | {' | '.join(names)} |")
    print("|---|---|---|---|---|---|---|")
    for law in LAWS:
        for correlation in (0.0, 0.5):
            print(
                "\n".join(cell(law, correlation, given.replicates, given.draws, given.seed)),
                flush=True,
            )


if __name__ == "__main__":
    main()
