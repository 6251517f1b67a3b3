from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from areaeffect import wording
from areaeffect.document import page as document_page
from areaeffect.report import faces
from areaeffect.report.tables import DATA_FILES
from areaeffect.results import Result, Seal, Verdict
from areaeffect.wording.numbers import PHRASES, VERDICT_SYMBOLS
from tests.shared.sample_result import HOSTILE, sample_result

MANY = 12  # words, so that what is counted is a sentence
VOID = {"meta", "br", "path", "use", "rect", "circle"}
CSS = (Path(document_page.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Collects what the tests ask about, and the text a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=99)


@pytest.fixture(scope="module")
def html(result: Result) -> str:
    return faces.render(result)


@pytest.fixture(scope="module")
def outline(html: str) -> Outline:
    return Outline(html)


# ---------------------------------------------------------------- form


def test_the_page_is_well_formed(outline: Outline) -> None:
    assert outline.open == []


def test_the_page_is_the_same_bytes_twice(result: Result, html: str) -> None:
    assert faces.render(result) == html


def test_the_page_needs_nothing_but_itself(html: str, outline: Outline) -> None:
    assert not re.search(r"<script|<link|<img|<iframe|@import|javascript:", html)
    for _, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert not (attributes.get("href") or "").startswith(("http", "//"))


def test_names_that_mean_harm_are_only_text(html: str, outline: Outline) -> None:
    assert "<script" not in html.lower()
    assert HOSTILE in outline.text


def test_headings_are_in_order(outline: Outline) -> None:
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_link_inside_the_page_leads_somewhere(outline: Outline) -> None:
    ids = [a["id"] for _, a in outline.tags if a.get("id")]
    assert len(ids) == len(set(ids))
    links = [a["href"] or "" for tag, a in outline.tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    for _, attributes in outline.tags:
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)


def test_the_page_says_its_language_and_lets_readers_skip(outline: Outline) -> None:
    assert ("html", {"lang": "en-GB"}) in outline.tags
    first = next(a for tag, a in outline.tags if tag == "a")
    assert first["href"] == "#main"


def test_every_chart_has_a_table_and_a_data_file(html: str) -> None:
    figures = re.findall(r"<figure>.*?</figure>", html, flags=re.DOTALL)
    assert len(figures) == 18 + 18 + 1 + 2  # trends, placebos, the map, balance by claim
    for figure in figures:
        assert figure.count("<svg") == 1
        assert "<details>" in figure
        assert "<table" in figure
        assert re.search(r'href="data/\w+\.csv"', figure)


def test_tables_scroll_in_a_named_focusable_box(html: str) -> None:
    boxes = re.findall(r'<div class="scroll" tabindex="0" role="group" aria-label="[^"]+">\s*<table>', html)
    assert len(boxes) == html.count("<table>")


def test_links_follow_the_attachments(result: Result) -> None:
    html = faces.render(result, {"series": "else/where.csv"})
    assert 'href="else/where.csv"' in html
    assert "data/findings.csv" not in html
    assert not re.search(r'href="[^"]*csv', faces.render(result, {}))


def test_default_links_name_the_files_that_are_written(html: str) -> None:
    assert set(re.findall(r'href="(data/[^"#]+\.csv)"', html)) == set(DATA_FILES.values())


# ---------------------------------------------------------------- content


def test_every_result_is_in_one_table_row_and_no_text_is_said_twice(
    result: Result, outline: Outline, html: str
) -> None:
    for finding in wording.main_findings(result.findings):
        assert wording.name_of(finding) in outline.text
    said = re.findall(r"<(?:p|li)\b[^>]*>([^<]+)</(?:p|li)>", html)
    long = [text for text in said if len(text.split()) > MANY]
    assert len(long) > MANY
    assert sorted(set(long)) == sorted(long)


def test_the_annex_goes_from_question_to_question(html: str) -> None:
    order = [
        "found", "trends", "chance", "one-by-one", "evidence", "who", "map-section", "balance",
        "method", "data", "seal",
    ]  # fmt: skip
    places = [html.index(f'<h2 id="{name}">') for name in order]
    assert places == sorted(places)
    assert html.index('class="wide') < html.index("<svg")


def test_nothing_missing_reaches_the_reader(outline: Outline) -> None:
    assert not re.search(r"\b(nan|None|inf|NaN|undefined)\b", outline.text)


def test_the_page_never_says_what_it_must_not(outline: Outline) -> None:
    for word in ("control", "no effect", "proves", "significant"):
        assert word not in outline.text.lower()


def test_what_could_not_be_estimated_has_its_reason(outline: Outline) -> None:
    assert "– not estimable: 14% of its window is missing in the treated areas" in outline.text


def test_every_verdict_has_its_symbol_and_is_given_once(html: str, result: Result) -> None:
    cells = re.findall(r'data-label="Verdict"[^>]*>(\S) ([a-z ]+)', html)
    assert len(cells) == len(wording.main_findings(result.findings))
    for symbol, word in cells:
        assert VERDICT_SYMBOLS[Verdict(word)] == symbol


def test_alike_results_are_a_table_not_cards(html: str, outline: Outline) -> None:
    assert "<article" not in html
    assert "Residents First: estimate and 95% interval, by name" in outline.text


def test_each_caveat_is_a_row_with_the_findings_that_have_it(html: str, result: Result) -> None:
    assert PHRASES["annex.whose"] in html
    main = wording.main_findings(result.findings)
    for text in {c for f in main for c in f.caveats if not c.startswith(wording.CHECK_WARNS)}:
        assert html.count(f">{escape(text)}<") == 1, text
    alone = replace(result, findings=(replace(main[0], caveats=("Recorded incidents only.",)),))
    assert PHRASES["annex.whose"] not in faces.render(alone)


def test_characteristics_and_the_buffer_are_said_in_words(result: Result) -> None:
    design = {"covariates": [{"column": "areas.share_renting", "as_of": "2011-03"}], "common_support": False}
    html = faces.render(replace(result, plan={"design": design, "register": {"buffer_km": 0}}))
    assert "Characteristics: share renting (March 2011)." in html
    assert "km from any treated area" not in html
    assert "common support" not in html


def test_findings_outside_the_main_set_have_a_table_of_their_own(result: Result) -> None:
    extra = replace(result.findings[0], outcome="bicycle_theft", label="Bicycle theft", primary=False)
    html = faces.render(replace(result, findings=(*result.findings, extra)))
    assert "Further findings" in html
    assert "Bicycle theft" in html


def test_the_plan_fills_the_method(outline: Outline) -> None:
    assert "the 60 nearest to each treated area" in outline.text
    assert "more than 1 km from any treated area" in outline.text
    assert "99 placebo programmes" in outline.text
    assert "20231219" in outline.text


def test_the_seal_says_what_it_does_not_show(result: Result, outline: Outline) -> None:
    assert result.seal.sha256 in outline.text
    assert "does not show that nobody had looked at public data" in outline.text


def test_releases_and_gaps_are_in_the_data_annex(result: Result, outline: Outline) -> None:
    for release in result.releases:
        assert release.sha256 in outline.text
        assert f"{release.rows_rejected:,}" in outline.text
    assert "Northshire Police" in outline.text


def test_twenty_benchmark_areas_are_named_for_each_neighbourhood(html: str) -> None:
    lists = re.findall(r"<ol class=\"areas\">(?:<li>Area .*?</li>)+</ol>", html)
    assert len(lists) == 16
    assert all(text.count("<li>") == 20 for text in lists)


def test_families_that_were_not_looked_at_are_named(result: Result) -> None:
    some = tuple(f for f in result.findings if f.family != "empty_homes")
    assert "did not look at: Empty homes." in faces.render(replace(result, findings=some))


# ---------------------------------------------------------------- edges


def test_without_outlines_the_page_says_why_there_is_no_map() -> None:
    html = faces.render(sample_result(placebos=19, shapes=False))
    assert PHRASES["who.no_map"] in html
    assert '"map-title"' not in html


def test_an_empty_result_is_still_a_page(result: Result) -> None:
    empty = Result(
        title="T",
        question="",
        findings=(),
        seal=Seal("0" * 64, ()),
        designs=(),
        balance=(),
        series=(),
        placebos=(),
        areas=(),
        releases=(),
        gaps=(),
        notes=(),
        plan={},
        versions={},
    )
    text = Outline(faces.render(empty)).text
    assert "The study has no findings." in text
    assert "not given" in text


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ["text", "soft", "blue", "plum", "teal", "grey"])
def test_text_colours_stand_out_from_both_grounds(name: str) -> None:
    colours = dict(re.findall(r"--(\w+): (#\w{6})", CSS))
    for ground in ("#ffffff", colours["pale"]):
        assert contrast(colours[name], ground) >= 4.5
