"""What every check must keep to, whoever adds the next one."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest

from areaeffect.checks.base import Status
from areaeffect.checks.registry import CHECKS
from areaeffect.checks.step import ANNEX
from areaeffect.checks.words import REASONS, Said, caveat, summary
from areaeffect.commands.evaluate import evaluate
from areaeffect.report.page import render
from areaeffect.results import Annex, Result
from tests.shared.small_study import edit, write_small_study

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
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return evaluate(write_checked_study(tmp_path_factory.mktemp("checks")), threads=1)


@pytest.fixture(scope="module")
def annex(result: Result) -> Annex:
    found = result.annex(ANNEX)
    assert found is not None
    return found


def test_every_check_is_in_the_annex_once(annex: Annex) -> None:
    names = [c.name for c in annex.found.checks]
    assert len(names) == len(set(names)) == len(CHECKS)
    assert set(names) == set(REASONS)  # each has its sentence
    assert [t.name for t in annex.tables] == [f"check_{name}" for name in names]


@pytest.mark.parametrize("k", range(len(CHECKS)), ids=[c.__name__ for c in CHECKS])
def test_every_check_says_what_it_asks_and_what_came_of_it(k: int, annex: Annex) -> None:
    check = annex.found.checks[k]
    assert re.fullmatch(r"[a-z_]+", check.name)
    assert check.title
    assert "?" in check.question
    assert check.status in set(Status)
    assert summary(check).endswith(".")
    assert check.findings or check.why
    for answer in check.findings:
        assert answer.status in set(Status)
        assert answer.reason.endswith(".")
        silent = answer.status == Status.NOT_ESTIMABLE
        assert bool(answer.why) == silent
        assert bool(answer.numbers) != silent
    json.dumps(asdict(check), allow_nan=False)


@pytest.mark.parametrize("k", range(len(CHECKS)), ids=[c.__name__ for c in CHECKS])
def test_every_check_puts_its_numbers_into_a_table(k: int, annex: Annex) -> None:
    check, table = annex.found.checks[k], annex.tables[k]
    assert [c.name for c in table.columns[:2]] == ["group", "outcome"]
    assert all(c.description for c in table.columns)
    assert all(len(row) == len(table.columns) for row in table.rows)
    tried = {(a.group, a.outcome) for a in check.findings if a.numbers}
    assert {(row[0], row[1]) for row in table.rows} <= tried
    if check.name != "contamination":  # its table lists areas, and there may be none
        assert {(row[0], row[1]) for row in table.rows} == tried


def numbers_in(text: str) -> list[float]:
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("−", "-"))
    return [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", plain)]


def values_of(answer: Said) -> list[float]:
    return [float(v) for v in answer.numbers.values() if isinstance(v, (int, float))]


def test_every_number_in_a_sentence_is_one_of_its_numbers(annex: Annex) -> None:
    seen = 0
    for check in annex.found.checks:
        for answer in check.findings:
            values = values_of(answer)
            words = " ".join(str(v) for v in answer.numbers.values() if isinstance(v, str))
            fixed = [95.0, 0.001, *numbers_in(words)]  # levels, and numbers in names
            for number in numbers_in(answer.reason):
                near = any(number in roundings(value) for value in values)
                assert near or number in fixed, (check.name, number, answer.reason)
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
        if a.status == Status.WARNS
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
    for check in annex.found.checks:
        assert check.title in text
    assert "control" not in " ".join(c.question for c in annex.found.checks)


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
    (check,) = [c for c in annex.found.checks if c.name == "treated_benchmark"]
    (answer,) = check.findings
    assert answer.claim == "level"
    assert 0 < answer.numbers["share"] <= 1
    assert "had differed in the same way" in summary(check)
    assert annex.table("check_treated_benchmark").records()
