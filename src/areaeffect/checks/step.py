"""The falsification set as a step of an evaluation: annex `checks`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from areaeffect.checks.base import DRAWS, Ground, Status, subjects_of
from areaeffect.checks.refits import refit
from areaeffect.checks.registry import CHECKS
from areaeffect.checks.words import Checked, Said, Tried, caveat, reason
from areaeffect.placebo.workers import run_all
from areaeffect.results import Annex

if TYPE_CHECKING:
    from areaeffect.checks.base import Answer, Check
    from areaeffect.findings.finished import Finished
    from areaeffect.placebo.programmes import Job
    from areaeffect.results import Floats, Result

ANNEX = "checks"


def checks_step(finished: Finished) -> Annex[Checked] | None:
    """Try to break every finding of a whole group; None where the study leaves the checks out."""
    if not finished.file.study.analysis.checks:
        return None
    ground = make_ground(finished)
    made = []
    for done, check in enumerate(CHECKS):
        finished.tell("checks", done, len(CHECKS))
        made.append(check(ground))
    finished.tell("checks", len(CHECKS), len(CHECKS))
    tried = tuple(_tried(c, ground) for c in made)
    return Annex(ANNEX, Checked(tried), tuple(c.table for c in made))


def make_ground(finished: Finished) -> Ground:
    """Gather what the checks read, and run the refits that several of them share."""
    evidence = finished.evidence

    def run(job: Job, draws: int) -> Floats:
        most = min(draws, evidence.study.analysis.placebos)
        return run_all(job, most, finished.threads, lambda _n: None)

    finished.tell("checks", 0, len(CHECKS))
    subjects = subjects_of(evidence, finished.result.findings)
    asked = any(s.is_estimated and s.finding.claim == "change" for s in subjects)
    refits = refit(evidence, DRAWS, run) if asked else None
    return Ground(evidence.study, finished.data, evidence, subjects, refits, run)


def _tried(check: Check, ground: Ground) -> Tried:
    labels = {s.finding.outcome: s.finding.label for s in ground.subjects}
    return Tried(
        name=check.name,
        title=check.title,
        question=check.question,
        status=str(check.status),
        why="" if check.answers else check.why,
        findings=tuple(_said(check, a, labels[a.outcome]) for a in check.answers),
    )


def _said(check: Check, answer: Answer, label: str) -> Said:
    said = Said(
        group=answer.group,
        outcome=answer.outcome,
        label=label,
        claim=answer.claim,
        form=answer.form,
        status=str(answer.status),
        numbers=dict(answer.numbers),
        why=answer.why,
    )
    return replace(said, reason=reason(check.name, said))


def with_warnings(result: Result) -> Result:
    """Give each finding a caveat for every check that warns of it."""
    annex = result.annex(ANNEX)
    if annex is None:
        return result
    warned: dict[tuple[str, str, str], list[str]] = {}
    for check in annex.found.checks:
        for answer in check.findings:
            if answer.status == str(Status.WARNS):
                key = (answer.group, answer.outcome, answer.form)
                warned.setdefault(key, []).append(caveat(check, answer))
    findings = tuple(
        f
        if f.neighbourhood is not None
        else replace(f, caveats=(*f.caveats, *warned.get((f.group, f.outcome, f.form), ())))
        for f in result.findings
    )
    return replace(result, findings=findings)
