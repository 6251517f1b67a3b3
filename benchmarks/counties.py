"""Simulated counties through the whole evaluation: coverage, size, power; `make simulate`."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from areaeffect.commands.evaluate import evaluate
from areaeffect.simulate import CountySpec, simulate_county, write_county
from areaeffect.wording import main_findings


@dataclass(frozen=True)
class Row:
    """One leading finding of one county, and the effect that was put in."""

    group: str
    outcome: str
    form: str
    truth: float
    estimate: float
    low: float
    high: float
    p_value: float
    p_adjusted: float
    mde: float
    verdict: str


def one_county(seed: int, placebos: int) -> list[Row]:
    """Simulate a county, evaluate it as a user would, and set findings beside the truth."""
    with tempfile.TemporaryDirectory() as folder:
        study = write_county(simulate_county(CountySpec(seed=seed)), Path(folder), voices=False)
        text = study.read_text(encoding="utf-8")
        fewer = f"placebos = {placebos}\nchecks = false"  # only the findings are looked at
        study.write_text(text.replace("placebos = 499", fewer), encoding="utf-8")
        truth = json.loads((study.parent / "truth.json").read_text(encoding="utf-8"))
        findings = evaluate(study, threads=1).findings
    return [
        Row(
            f.group, f.outcome, f.form, truth[f.group][f.outcome], f.estimate or 0.0,
            f.low if f.low is not None else -np.inf, f.high if f.high is not None else np.inf,
            f.p_value or 1.0, f.p_adjusted or 1.0, f.mde or np.nan, str(f.verdict),
        )
        for f in main_findings(findings)
        if f.estimate is not None
    ]  # fmt: skip


def _task(arguments: tuple[int, int]) -> list[Row]:
    return one_county(*arguments)


def table(counties: list[list[Row]]) -> str:
    """Write coverage, size, bias and verdicts by group and outcome as a Markdown table."""
    cells: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for county in counties:
        for row in county:
            cells[row.group, row.outcome].append(row)
    lines = [
        "| group | outcome | mean truth | mean error | sd of error | 95 % coverage | p ≤ 0.05 "
        "| adjusted p ≤ 0.05 | better | worse | little difference | cannot tell |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    everything = [row for rows in cells.values() for row in rows]
    for (group, outcome), rows in [*cells.items(), (("all", "all"), everything)]:
        error = np.array([r.estimate - r.truth for r in rows])
        covered = np.mean([r.low <= r.truth <= r.high for r in rows])
        verdicts = [r.verdict for r in rows]
        shares = [
            verdicts.count(v) / len(rows)
            for v in ("better", "worse", "little difference", "cannot tell")
        ]
        mixed = outcome == "all"
        lines.append(
            f"| {group} | {outcome} | "
            + (" | | |" if mixed else
               f"{np.mean([r.truth for r in rows]):.3f} | {error.mean():+.4f} "
               f"| {error.std():.4f} |")
            + f" {covered:.3f} | {np.mean([r.p_value <= 0.05 for r in rows]):.3f} "
            f"| {np.mean([r.p_adjusted <= 0.05 for r in rows]):.3f} | "
            + " | ".join(f"{s:.3f}" for s in shares) + " |"
        )  # fmt: skip
    zero = [r for r in everything if r.truth == 0]
    wrong = [
        any(r.truth == 0 and r.verdict in ("better", "worse") for r in county)
        for county in counties
    ]
    lines += [
        "",
        f"Findings whose true effect is zero: {len(zero)}; p ≤ 0.05 in "
        f"{np.mean([r.p_value <= 0.05 for r in zero]):.3f} of them, a verdict of better or worse "
        f"in {np.mean([r.verdict in ('better', 'worse') for r in zero]):.3f}; counties with any "
        f"such wrong verdict: {np.mean(wrong):.3f}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Evaluate many counties and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counties", type=int, default=200)
    parser.add_argument("--placebos", type=int, default=199)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    tasks = [(options.first_seed + i, options.placebos) for i in range(options.counties)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        counties = pool.map(_task, tasks, chunksize=1)
    print(f"{options.counties} counties, {options.placebos} placebos each\n")
    print(table(counties))


if __name__ == "__main__":
    main()
