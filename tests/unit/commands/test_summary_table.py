"""The table that `evaluate` prints: each verdict, and beside it why there is no answer."""

from __future__ import annotations

from dataclasses import replace

from areaeffect.commands.diff import summary
from areaeffect.results import Finding, Result, Verdict
from tests.shared.sample_result import sample_result


def with_first(result: Result, **changes: object) -> Result:
    first: Finding = result.findings[0]
    return replace(result, findings=(replace(first, **changes), *result.findings[1:]))


def test_a_verdict_without_an_answer_names_its_reason() -> None:
    result = with_first(sample_result(placebos=19), verdict=Verdict.CANNOT_TELL, held_back="too few places")
    text = summary(result)
    assert "cannot tell (1)" in text.splitlines()[2]
    notes = [line for line in text.splitlines() if line.startswith("(")]
    assert notes[0] == "(1) too few places"
    assert any("the interval includes zero" in line for line in notes)
    not_estimable = next(f for f in result.findings if f.verdict is Verdict.NOT_ESTIMABLE)
    assert any(not_estimable.caveats[0] in line for line in notes)


def test_a_size_that_rounds_to_nothing_has_no_minus() -> None:
    text = summary(with_first(sample_result(placebos=19), estimate=-0.0001))
    assert "+0.0%" in text.splitlines()[2]
    assert "-0.0%" not in text
