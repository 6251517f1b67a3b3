"""Every check in the order of the report, one line each, and the step that runs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from areaeffect.checks.at_the_cut import BUNCHING, CUT_BALANCE, DISCONTINUITY
from areaeffect.checks.base import (
    DRAWS,
    Check,
    Checked,
    CheckInputs,
    CheckResult,
    CheckStatus,
    caveat,
    subjects_of,
)
from areaeffect.checks.before_the_start import EARLIER, HELD_OUT, LEADS_CHECK
from areaeffect.checks.leave_out import LEAVE_AREA_OUT, LEAVE_OUT
from areaeffect.checks.mean_reversion import MEAN_REVERSION
from areaeffect.checks.other_cuts import BANDWIDTH, SHIFTED_CUTS
from areaeffect.checks.placement import PLACEMENT
from areaeffect.checks.refits import refit
from areaeffect.checks.rings import RINGS
from areaeffect.checks.treated_benchmark import CONTAMINATION, TREATED_BENCHMARK
from areaeffect.checks.unmoved import UNMOVED
from areaeffect.findings.case import Finished
from areaeffect.placebo.workers import Job, run_all
from areaeffect.results import Annex, Floats, Result

CHECKS: tuple[Check[Any, Any], ...] = (
    HELD_OUT,
    LEADS_CHECK,
    EARLIER,
    RINGS,
    LEAVE_OUT,
    LEAVE_AREA_OUT,
    UNMOVED,
    TREATED_BENCHMARK,
    CONTAMINATION,
    MEAN_REVERSION,
    PLACEMENT,
    BUNCHING,
    CUT_BALANCE,
    DISCONTINUITY,
    BANDWIDTH,
    SHIFTED_CUTS,
)


ANNEX = "checks"


def checks_step(finished: Finished) -> Annex[Checked] | None:
    """Try to break every finding of a whole group; None where the study leaves the checks out."""
    if not finished.file.study.analysis.checks:
        return None
    found = results_of(finished)
    return Annex(ANNEX, Checked(tuple(c.summary() for c in found)), tuple(c.table() for c in found))


def results_of(finished: Finished) -> list[CheckResult]:
    """Run every check of the registry."""
    inputs = inputs_of(finished)
    found = []
    checks = [check for check in CHECKS if check.concerns(inputs.study)]
    for done, check in enumerate(checks):
        finished.tell("checks", done, len(checks))
        found.append(CheckResult(check, tuple(check.run(inputs))))
    finished.tell("checks", len(checks), len(checks))
    return found


def inputs_of(finished: Finished) -> CheckInputs:
    """Gather what the checks read, and run the refits that several of them share."""
    evidence = finished.evidence

    def run(job: Job, draws: int) -> Floats:
        most = min(draws, evidence.study.analysis.placebos)
        return run_all(job, most, finished.threads, lambda _n: None)

    finished.tell("checks", 0, len(CHECKS))
    subjects = subjects_of(evidence, finished.result.findings)
    asked = any(s.is_estimated and s.finding.claim == "change" for s in subjects)
    return CheckInputs(
        study=evidence.study,
        data=finished.data,
        evidence=evidence,
        subjects=subjects,
        refits=refit(evidence, DRAWS, run) if asked else None,
        run=run,
    )


def with_warnings(result: Result) -> Result:
    """Give each finding a caveat for every check that warns of it."""
    annex = result.annex(ANNEX)
    if annex is None:
        return result
    warned: dict[tuple[str, str, str], list[str]] = {}
    for check in annex.found.checks:
        for f in check.findings:
            if f.status is CheckStatus.WARNS:
                warned.setdefault((f.group, f.outcome, f.form), []).append(caveat(check, f))
    findings = tuple(
        f
        if f.neighbourhood is not None
        else replace(f, caveats=(*f.caveats, *warned.get((f.group, f.outcome, f.form), ())))
        for f in result.findings
    )
    return replace(result, findings=findings)
