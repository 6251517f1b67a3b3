"""How much the price of imbalance matters: placebo spread on the simulated county by ridge."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import single_threaded, version_of_code
from areaeffect.design import calibration
from areaeffect.estimate import counterfactual as cf
from areaeffect.findings.plan import make_plan
from areaeffect.placebo.programmes import run_draws
from areaeffect.simulate import CountySpec, simulate_county, write_county
from areaeffect.study.file import read_study

_RIDGES = (0.01, 0.1, 1.0, 10.0)
_DRAWS = 99


def run() -> list[str]:
    """Measure, and return lines to print."""
    lines = [
        "| ridge | outcome | mean of placebos | sd of placebos |",
        "|---|---|---|---|",
    ]
    with single_threaded(), tempfile.TemporaryDirectory() as folder:
        study = write_county(simulate_county(CountySpec(seed=20231219)), Path(folder), voices=False)
        file = read_study(study)
        plan = make_plan(file, assemble(file), version_of_code())
        chosen = calibration.RIDGE
        for ridge in _RIDGES:
            calibration.RIDGE = ridge
            totals = run_draws(plan.machine, np.arange(_DRAWS)).sum(axis=1)
            for o, outcome in enumerate(file.study.outcome):
                statistic = cf.log_ratio if outcome.kind == "count" else cf.rate_difference
                drawn = statistic(totals[:, o], "change")
                lines.append(
                    f"| {ridge:g} | {outcome.name} | {drawn.mean():+.4f} | {drawn.std():.4f} |"
                )
        calibration.RIDGE = chosen
    return lines
