"""The report in two pages: what it says, in how much room, whatever the names and numbers."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader

from areaeffect import wording
from areaeffect.document.blocks import Beside, Bullets, Facts, Links, Paragraph
from areaeffect.report.faces import links_of
from areaeffect.report.local_map import named_map
from areaeffect.report.summary import caveats, summary_document, two_pages
from areaeffect.results import Verdict
from areaeffect.wording.numbers import PHRASES, phrase
from tests.shared.sample_result import HOSTILE, sample_result
from tests.unit.report.test_neighbourhood_pages import many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from areaeffect.document.blocks import Block, Section
    from areaeffect.results import Finding, Result

WORDS = "A name that goes on and on without an end in sight "


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=19)


@pytest.fixture(scope="module")
def crime(result: Result) -> Finding:
    return next(f for f in result.findings if f.outcome == "crime" and f.form == "ratio")


def blocks(sections: tuple[Section, ...]) -> Iterator[Block]:
    for section in sections:
        yield from section.blocks


def pages_of(result: Result) -> int:
    document, printed = two_pages(result, links_of(result))
    assert document.title
    return len(PdfReader(io.BytesIO(printed)).pages)


def repeated(result: Result, times: int) -> Result:
    return replace(
        result,
        findings=tuple(
            replace(f, outcome=f"{f.outcome}{i}", label=f"{f.label} {i}")
            for i in range(times)
            for f in result.findings
        ),
        series=tuple(replace(s, outcome=f"{s.outcome}{i}") for i in range(times) for s in result.series),
    )


@pytest.mark.parametrize("kind", ["sample", "400 places", "long", "30 outcomes", "empty", "hostile"])
def test_whatever_a_study_holds_its_report_is_printed_on_two_pages(result: Result, kind: str) -> None:
    long = WORDS * 6
    made = {
        "sample": result,
        "400 places": many(result, 400),
        "long": replace(
            result,
            title=long,
            question=long,
            findings=tuple(replace(f, label=long, unit=long) for f in result.findings),
        ),
        "30 outcomes": repeated(result, 5),
        "empty": replace(result, findings=(), series=()),
        "hostile": replace(result, findings=tuple(replace(f, label="N" * 300) for f in result.findings)),
    }
    assert pages_of(made[kind]) <= 2


@pytest.mark.parametrize(
    ("estimate", "said"), [(-0.112, "89"), (0.004, "about 100"), (0.057, "106"), (-1.0, "0")]
)
def test_a_ratio_is_said_as_so_many_of_a_hundred(crime: Finding, estimate: float, said: str) -> None:
    own = replace(crime, estimate=estimate, verdict=Verdict.BETTER, unit="crimes")
    text = f"For every 100 crimes expected there were {said}."
    assert wording.in_one_hundred(own) == text


def test_an_open_answer_keeps_its_interval_in_a_hundred(crime: Finding) -> None:
    assert crime.interval
    interval = replace(crime.interval, low=-0.048, high=0.215)
    own = replace(crime, estimate=0.057, interval=interval, verdict=Verdict.CANNOT_TELL)
    assert wording.in_one_hundred(own).endswith("106; anything from 95 to 122 fits the data.")


def test_counts_stand_with_the_years_they_cover(crime: Finding) -> None:
    own = replace(
        crime, estimate=-0.1, observed=900.0, counterfactual=1000.0, unit="crimes",
        post="2013-07 to 2016-12",
    )  # fmt: skip
    text = "July 2013 to December 2016: 900 crimes, where 1,000 were expected."
    assert wording.answer(own).endswith(text)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("2016-01-05", "5 January 2016"),
        ("2013-07 to 2016-12", "July 2013 to December 2016"),
        ("2020", "2020"),
    ],
)
def test_days_and_months_are_written_in_words(span: str, words: str) -> None:
    assert wording.when(span) == words


def test_one_sentence_names_every_outcome_by_its_verdict(result: Result) -> None:
    own = [f for f in result.findings if f.group == "Residents First"]
    text = wording.quote(own)
    assert text.startswith("In 24 neighbourhoods of Residents First, ")
    for f in wording.main_findings(own):
        assert f.label.lower() in text.lower()
    assert text.count(".") == len({f.verdict for f in wording.main_findings(own)})


def only_crime(result: Result, crime: Finding) -> Result:
    return replace(
        result,
        findings=(crime,),
        series=tuple(s for s in result.series if (s.group, s.outcome) == (crime.group, crime.outcome)),
    )


@pytest.mark.parametrize("claim", ["change", "level", "contrast"])
@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_only_outcome_is_one_plain_sentence_and_its_interval_is_said_once(
    crime: Finding, verdict: Verdict, claim: str
) -> None:
    own = replace(crime, verdict=verdict, claim=claim, estimate=-0.201, held_back="")
    if verdict is Verdict.NOT_ESTIMABLE:
        own = replace(own, estimate=None, caveats=("too few areas have data.",))
    text = wording.quote([own])
    assert text.count(".") - text.count("20.1%") == 1 + (verdict is Verdict.DESCRIBED)
    assert own.label.lower() in text.lower()
    assert "interval" not in text
    told = wording.answer(own, is_told=True)
    assert told.count("interval") == (verdict is not Verdict.NOT_ESTIMABLE)
    assert ("smallest" in told) is (verdict is Verdict.CANNOT_TELL)


def test_a_study_of_one_outcome_is_one_printed_page_with_its_trend_beside_the_map(
    result: Result, crime: Finding
) -> None:
    own = only_crime(result, crime)
    assert pages_of(own) == 1
    (charts,) = (b for b in blocks(summary_document(own, {}).sections) if isinstance(b, Beside))
    assert charts.is_tall
    assert [f.name.rsplit("-", 1)[-1] for f in charts.blocks] == ["effects", "trend", "map"]


def test_the_note_under_the_trends_explains_what_is_drawn_and_nothing_else(
    result: Result, crime: Finding
) -> None:
    own = only_crime(result, crime)
    series = own.series[0]
    full = tuple(1.0 if v is None else v for v in series.observed)
    whole = replace(series, observed=full, counterfactual=full, gaps=())
    for path, gaps in ((whole, False), (replace(whole, gaps=whole.periods[:1]), True)):
        sections = summary_document(replace(own, series=(path,)), {}).sections
        (note,) = (b.text for b in blocks(sections) if isinstance(b, Paragraph) and "dashed" in b.text)
        assert ("Hatched" in note) is gaps
        assert "Thin lines" in note


def test_what_it_does_not_say_is_no_double_negative(result: Result) -> None:
    for f in result.findings:
        for text in wording.cannot_say(f):
            assert text.startswith("That ")
            assert "not be taken" not in text


def test_there_are_three_caveats_and_looking_first_is_one_of_them(result: Result) -> None:
    main = wording.main_findings(result.findings)
    assert len(caveats(result, main)) == 3
    plan = {**result.plan, "study": {"exploratory": True}}
    assert caveats(replace(result, plan=plan), main)[0] == PHRASES["caveat.exploratory"]
    few = phrase("finding.however_many", n=6, places="places")
    said = caveats(result, [replace(f, caveats=(few,)) for f in main])
    assert few in said
    assert PHRASES["caveat.elsewhere"] not in said, "the other says it already"
    named = tuple(replace(f, caveats=("`areas.csv` has no key_x.",)) for f in main)
    assert not any("key_x" in text for text in caveats(result, named))


def test_author_and_what_was_done_are_said_where_the_study_gives_them(result: Result) -> None:
    plan = {
        "study": {"author": "Harrow analysts", "window": {"start": "2012-01", "end": "2023-12"}},
        "initiative": [{"name": "Residents First", "description": "Residents chose the work."}],
    }
    document = summary_document(replace(result, plan=plan), {})
    (facts,) = (b for b in blocks(document.sections) if isinstance(b, Facts))
    pairs = dict(facts.pairs)
    assert pairs["Author"] == "Harrow analysts"
    assert pairs["What was done"] == "Residents chose the work"
    made = f"made with areaeffect {result.versions['areaeffect']}"
    assert pairs["Date"] == f"Data from January 2012 to December 2023; {made}"
    plain = summary_document(replace(result, plan={}), {})
    (facts,) = (b for b in blocks(plain.sections) if isinstance(b, Facts))
    assert "Author" not in dict(facts.pairs)


def test_the_seal_and_the_annex_are_one_step_away(result: Result) -> None:
    document = summary_document(result, links_of(result))
    own = list(blocks(document.sections))
    (links,) = (b for b in own if isinstance(b, Links))
    assert [to for _, to in links.pairs][:2] == ["annex.html", "annex.pdf"]
    assert any(isinstance(b, Paragraph) and result.seal.sha256 in b.text for b in own)
    alone = list(blocks(summary_document(result, {}).sections))
    assert not any(isinstance(b, Links) for b in alone)
    assert any(isinstance(b, Bullets) and b.mark == "cannot" for b in alone)


def test_a_licence_is_printed_whole_or_the_annex_has_it(result: Result) -> None:
    for words in (8, 40, 400):
        credit = f"Contains data of {'many ' * words}owners."
        own = replace(result, releases=(replace(result.releases[0], attribution=credit),))
        document, _ = two_pages(own, {})
        (data,) = (b for b in blocks(document.sections) if isinstance(b, Paragraph) and b.begins == "Data.")
        assert data.text in (credit, PHRASES["summary.credits"])
        assert (data.text == credit) is (words < 400)


def test_the_map_names_councils_once_and_neighbourhoods_where_there_is_none(result: Result) -> None:
    areas = tuple(replace(a, name=f"Aldermere {i:03d}A") for i, a in enumerate(result.areas))
    figure = named_map(replace(result, areas=areas))
    assert figure
    assert figure.chart.count(">Aldermere</text>") == 1
    bare = named_map(replace(result, areas=tuple(replace(a, name=a.area) for a in result.areas)))
    assert bare
    assert re.search(r">Neighbourhood \d+</text>", bare.chart)
    assert named_map(replace(result, shapes=())) is None


def test_names_on_the_map_are_text(result: Result) -> None:
    areas = tuple(replace(a, neighbourhood=HOSTILE[:20], name="") for a in result.areas)
    figure = named_map(replace(result, areas=areas))
    assert figure
    assert "<script" not in figure.chart
