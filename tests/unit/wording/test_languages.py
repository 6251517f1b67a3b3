from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from typer.testing import CliRunner

from areaeffect import wording
from areaeffect.cli import app
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.document.page import to_html
from areaeffect.errors import StudyError
from areaeffect.report.contents import report_document
from areaeffect.report.files import read_result
from areaeffect.results import Finding, Verdict
from areaeffect.wording.numbers import number
from areaeffect.wording.phrases import LANGUAGES, phrases_of, refuse_language
from tests.shared.sample_result import sample_result
from tests.shared.small_study import write_small_study
from tests.unit.wording.test_wording import findings

NUMBER = r"\d[\d,]*(?:\.\d+)?"


def fields_of(phrase: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(phrase) if name}


def test_every_language_has_the_same_phrases() -> None:
    english = phrases_of("en")
    for language in LANGUAGES:
        assert set(phrases_of(language)) == set(english)


def test_no_phrase_asks_for_what_english_does_not_give() -> None:
    english = phrases_of("en")
    for key, phrase in phrases_of("cy").items():
        assert fields_of(phrase) <= fields_of(english[key]) | {"name"}, key


def test_an_unknown_language_is_refused_by_name() -> None:
    with pytest.raises(StudyError, match="'fr'"):
        phrases_of("fr")


@given(findings())
def test_welsh_headlines_hold_the_same_numbers(finding: Finding) -> None:
    english, welsh = (wording.headline(finding, phrases_of(code)) for code in ("en", "cy"))
    said = set(re.findall(NUMBER, welsh))
    if finding.estimate is not None and finding.verdict in {Verdict.BETTER, Verdict.WORSE}:
        size = number(abs(finding.estimate), finding.form)
        if finding.form == "ratio":
            assert re.findall(NUMBER, size)[0] in said
    assert len(welsh.split()) <= wording.HEADLINE_WORDS
    assert not re.search(r"\b(lower|higher|interval|than)\b", welsh.replace(finding.unit, ""))
    assert set(re.findall(NUMBER, english)) & said


def test_the_answers_come_first_in_welsh_and_say_so() -> None:
    result = sample_result(placebos=19, shapes=False)
    html = to_html(report_document(result, {}, "cy"), {})
    assert html.index('lang="cy">') < html.index('<h2 id="answer">')
    assert ">Yr ateb<" in html
    assert "gwell</span>" in html
    assert "Yr ateb" not in to_html(report_document(result, {}), {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_and_claim_has_a_name(language: str) -> None:
    phrases = phrases_of(language)
    names = [wording.verdict_name(verdict, phrases) for verdict in Verdict]
    assert len(set(names)) == len(Verdict)


def test_evaluate_takes_the_language_of_the_first_answers(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    run = CliRunner().invoke(
        app, ["evaluate", str(study), "--out", str(tmp_path / "out"), "--language", "cy"]
    )
    assert run.exit_code == 0, run.output
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert text.index(">Yr ateb<") < text.index(">The answer<")
    held = read_result(tmp_path / "out")
    assert held.plan["study"].get("language", "en") == "en"  # no part of the plan


def test_a_language_without_phrases_is_refused_before_any_work(tmp_path: Path) -> None:
    study = write_small_study(tmp_path)
    out = tmp_path / "out"
    with pytest.raises(StudyError, match="'fr'"):
        evaluate_into(study, out, threads=1, language="fr")
    assert not out.exists()


def test_a_collection_has_no_other_language() -> None:
    with pytest.raises(StudyError, match="'cy' was asked for"):
        refuse_language("cy", Path("collection.toml"))
