from __future__ import annotations

import re
import string

import pytest
from hypothesis import given

from areaeffect.errors import StudyError
from areaeffect.report import page, wording
from areaeffect.report.contents import report_document
from areaeffect.report.numbers import number
from areaeffect.report.phrases import LANGUAGES, phrases_of
from areaeffect.results import Finding, Verdict
from tests.unit.sample_result import sample_result
from tests.unit.test_wording import findings

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
    html = page.to_html(report_document(result, {}, "cy"), {})
    assert html.index('lang="cy">') < html.index('<h2 id="answer">')
    assert ">Yr ateb<" in html
    assert "gwell</span>" in html
    assert "Yr ateb" not in page.to_html(report_document(result, {}), {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verdict_and_claim_has_a_name(language: str) -> None:
    phrases = phrases_of(language)
    names = [wording.verdict_name(verdict, phrases) for verdict in Verdict]
    assert len(set(names)) == len(Verdict)
