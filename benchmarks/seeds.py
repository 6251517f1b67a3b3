"""How far the ends of the printed interval move between seeds, as a share of the interval.

    python -m benchmarks.seeds [STUDY] [--seeds 20] [--placebos 999]

Everything but the seed is the same. Printed are, for each primary effect, the standard deviation
of either end over the width on the scale of the statistic (log for ratios), the range of p and
the verdicts.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.init import example_files
from areaeffect.findings.case import Evidence
from areaeffect.findings.conclude import conclude
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.programmes import run_programme
from areaeffect.placebo.workers import default_threads, run_all, single_threaded, version_of_code
from areaeffect.results import Finding
from areaeffect.study.file import read_study


def measured(path: Path, seeds: int, placebos: int) -> dict[str, list[Finding]]:
    """Evaluate a study with every seed from 1 on; the primary effects by their name."""
    file, found = read_study(path), defaultdict(list)
    data = assemble(file)
    for seed in range(1, seeds + 1):
        study = file.study.model_copy(
            update={
                "study": file.study.study.model_copy(update={"seed": seed}),
                "analysis": file.study.analysis.model_copy(update={"placebos": placebos}),
            }
        )
        plan = make_plan(replace(file, study=study), data, version_of_code())
        real = run_programme(plan.machine, [u.areas for u in plan.units])
        drawn = run_all(plan.machine, placebos, default_threads(), lambda _n: None)
        measures = tuple(data.panel.measures[o.name] for o in study.outcome)
        findings, _ = conclude(Evidence(study, plan, measures, real, drawn))
        for finding in findings:
            if finding.low is not None and finding.high is not None:
                of = finding.neighbourhood or finding.group
                name = f"{of}, {finding.outcome}, {finding.claim}, {finding.form}"
                found[name].append(finding)
    return dict(found)


def line(name: str, findings: list[Finding]) -> str:
    """Describe how one finding moves between seeds."""
    ends = np.array([(f.interval.low, f.interval.high) for f in findings if f.interval])
    if findings[0].form == "ratio":
        ends = np.log1p(ends)
    moved = ends.std(axis=0, ddof=1) / float(np.diff(ends).mean())
    p = [f.interval.p_value for f in findings if f.interval and f.interval.p_value is not None]
    verdicts = ", ".join(sorted({str(f.verdict) for f in findings}))
    spread = f"{min(p):.3f} to {max(p):.3f}" if p else "none"
    return f"{name} | {moved[0]:.1%} | {moved[1]:.1%} | {spread} | {verdicts}"


def main() -> None:
    """Measure one study and print a table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("study", nargs="?", type=Path, default=None)
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--placebos", type=int, default=999)
    given = asked.parse_args()
    path = given.study
    if path is None:
        folder = Path("build/seeds_london")
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in example_files("london").items():
            (folder / name).write_bytes(content)
        path = folder / "study.toml"
    with single_threaded():
        found = measured(path, given.seeds, given.placebos)
    print("finding | lower end | upper end | p | verdicts")
    for name, findings in found.items():
        print(line(name, findings))


if __name__ == "__main__":
    main()
