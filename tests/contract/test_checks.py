"""What every check must keep to, whoever adds the next one."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from areaeffect.checks import registry
from areaeffect.checks.base import Check, CheckResult, CheckStatus, any_study, caveat, summary
from areaeffect.checks.registry import ANNEX, CHECKS, results_of
from areaeffect.checks.treated_benchmark import TREATED_BENCHMARK
from areaeffect.commands.evaluate import evaluate
from areaeffect.findings.case import Finished
from areaeffect.records import rows_of
from areaeffect.report.faces import render
from areaeffect.results import Annex, Result
from tests.shared.cutoff_study import write_cutoff_study
from tests.shared.small_study import edit, write_small_study

Results = dict[str, CheckResult]

#: The small study, with places of its own for every check to try.
OUTCOME = """
[[outcome]]
name = "weather"
family = "environment"
source = "crime"
value = "n"
exposure = "areas.population"
should_move = false
"""


def write_checked_study(folder: Path) -> Path:
    study = write_small_study(folder)
    edit(study, "\n[analysis]", OUTCOME + "\n[analysis]")
    edit(study, "buffer_km = 0.0", 'buffer_km = 0.0\nothers = ["others.csv"]')
    (folder / "others.csv").write_text("area_code\nT047\n", encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Results]:
    """Evaluate, and keep what the checks found before it is put into words."""
    kept: Results = {}

    def keep(finished: Finished) -> list[CheckResult]:
        found = results_of(finished)
        kept.update({c.check.name: c for c in found})
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "results_of", keep)
        study = write_checked_study(tmp_path_factory.mktemp("checks"))
        found = evaluate(study, threads=1)
        placed, kept_of_any = tmp_path_factory.mktemp("placed"), dict(kept)
        evaluate(write_cutoff_study(placed), threads=1)  # for the checks of a rule of placement
        return found, kept | kept_of_any


@pytest.fixture(scope="module")
def result(evaluated: tuple[Result, Results]) -> Result:
    return evaluated[0]


@pytest.fixture(scope="module")
def results(evaluated: tuple[Result, Results]) -> Results:
    return evaluated[1]


@pytest.fixture(scope="module")
def annex(result: Result) -> Annex:
    found = result.annex(ANNEX)
    assert found is not None
    return found


def test_every_check_is_in_the_annex_once(annex: Annex) -> None:
    names = [c.name for c in annex.found.checks]
    assert names == [check.name for check in CHECKS if check.concerns is any_study]
    assert len(names) == len(set(names))
    assert [t.name for t in annex.tables] == [f"check_{name}" for name in names]


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_every_check_says_what_it_asks_and_what_came_of_it(check: Check, results: Results) -> None:
    found = results[check.name]
    summed = found.summary()
    assert re.fullmatch(r"[a-z_]+", check.name)
    assert check.words("title")
    assert "?" in check.words("question")
    assert summed.status in set(CheckStatus)
    assert summary(summed).endswith(".")
    assert summed.findings or summed.why
    for answer in found.answers:
        assert found.reason(answer).endswith(".")
        silent = answer.status is CheckStatus.NOT_ESTIMABLE
        assert bool(answer.why) == silent
        assert (answer.numbers is None) == silent


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.name)
def test_every_check_puts_its_numbers_into_a_table(check: Check, results: Results) -> None:
    found = results[check.name]
    table = found.table()
    own = [f.name for f in fields(check.row)]
    assert [c.name for c in table.columns] == ["group", "outcome", *own]
    assert all(c.description for c in table.columns)
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert rows_of(table, check.row) == [row for a in found.answers for row in a.rows]
    tried = {(a.finding.group, a.finding.outcome) for a in found.answers if a.numbers is not None}
    assert {(row[0], row[1]) for row in table.rows} <= tried
    if check.name != "contamination":  # its table lists areas, and there may be none
        assert {(row[0], row[1]) for row in table.rows} == tried


def numbers_in(text: str) -> list[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-"))
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def values_of(numbers: Any) -> list[Any]:
    """Return the values of a record, of the records inside it and of those in a tuple."""
    if is_dataclass(numbers):
        numbers = [getattr(numbers, f.name) for f in fields(numbers)]
    if isinstance(numbers, (tuple, list)):
        return [value for part in numbers for value in values_of(part)]
    return [numbers]


def test_every_number_in_a_sentence_is_one_of_its_numbers(results: Results) -> None:
    seen = 0
    for found in results.values():
        for answer in found.answers:
            every = values_of(answer.numbers)
            values = [float(v) for v in every if isinstance(v, (int, float))]
            words = " ".join(str(v) for v in every if isinstance(v, str))
            fixed = [95.0, 0.001, *numbers_in(words)]  # levels, and numbers in names
            for number in numbers_in(found.reason(answer)):
                near = any(number in roundings(value) for value in values)
                assert near or number in fixed, (found.check.name, number, found.reason(answer))
                seen += 1
    assert seen > 20


def roundings(value: float) -> set[float]:
    """How a value may be printed: as it is, in per cent, and one less ('and so would n more')."""
    printed = (value, 100 * value, abs(100 * value))
    found = {round(v, d) for v in printed for d in range(4)}
    return found | {float(f"{value:.3g}"), value - 1}


def test_a_warning_is_a_caveat_of_its_finding_and_nothing_else_is(result: Result) -> None:
    annex = result.annex(ANNEX)
    assert annex is not None
    expected = {
        (a.group, a.outcome, a.form, caveat(c, a))
        for c in annex.found.checks
        for a in c.findings
        if a.status == CheckStatus.WARNS
    }
    found = {
        (f.group, f.outcome, f.form, text)
        for f in result.findings
        for text in f.caveats
        if text.startswith("The check ")
    }
    assert found == expected


def test_the_report_prints_every_question_that_could_be_tried(result: Result) -> None:
    text = render(result)
    assert 'id="does-it-hold"' in text
    annex = result.annex(ANNEX)
    assert annex is not None
    for check in CHECKS:
        assert (check.words("title") in text) == (check.concerns is any_study)
    assert "control" not in " ".join(check.words("question") for check in CHECKS)


def test_without_checks_there_is_no_annex(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, "placebos = 39", "placebos = 39\nchecks = false")
    assert evaluate(study, threads=1).annex(ANNEX) is None


def test_the_checks_are_the_same_with_two_processes(annex: Annex, tmp_path: Path) -> None:
    again = evaluate(write_checked_study(tmp_path), threads=2).annex(ANNEX)
    assert again == annex


def test_a_level_says_what_treated_benchmark_areas_would_make_of_it(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    edit(study, "exposure =", 'claim = "level"\nexposure =')
    annex = evaluate(study, threads=1).annex(ANNEX)
    assert annex is not None
    (found,) = [c for c in annex.found.checks if c.name == TREATED_BENCHMARK.name]
    (answer,) = found.findings
    assert answer.status is not CheckStatus.NOT_ESTIMABLE
    assert "differed in the same way" in summary(found)
    assert annex.table("check_treated_benchmark").records()
