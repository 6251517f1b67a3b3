from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import textstat

from areaeffect.document.blocks import Answers, Bullets, Document, Folded, Paragraph, Section
from areaeffect.document.page import to_html
from areaeffect.report import files, neighbourhood_pages
from areaeffect.report.local_map import BACKDROP_BYTES, Outlines
from areaeffect.results import Result, Series, Shape, Verdict
from areaeffect.wording import short
from tests.shared.sample_result import HOSTILE, sample_result

READING_GRADE = 7.0  # school grade: about the age of 12


@pytest.fixture(scope="module")
def result() -> Result:
    result = sample_result(placebos=19)
    paths = tuple(
        Series(
            group=f.group,
            outcome=f.outcome,
            periods=tuple("123456"),
            observed=(1.0, 2.0, None, 3.0, 2.0, 1.0),
            counterfactual=(1.5, 1.5, 2.0, 2.5, 2.5, 2.0),
            start=(),
            gaps=("3",),
            unit="per 1,000 a year",
            neighbourhood=f.neighbourhood or "",
        )
        for f in result.findings
        if f.neighbourhood
    )
    return replace(result, neighbourhood_series=paths)


@pytest.fixture(scope="module")
def made(result: Result) -> dict[str, Document]:
    return dict(neighbourhood_pages.pages(result))


def reading_grade(text: str) -> float:
    """Return the harder of two grades: by letters (textstat), by syllables (Flesch-Kincaid).

    textstat's own syllables need a dictionary that is not in its wheel: vowel groups stand in.
    """
    words = re.findall(r"[A-Za-z’-]+", text)
    sentences = max(1, len(re.findall(r"[.!?:;]+(?= |$)", text)))
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower())))) for word in words)
    kincaid = 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59
    return max(kincaid, float(textstat.automated_readability_index(text)))


def words_of(holder: Any) -> list[str]:
    """Return what we say ourselves, without names, tables and numbers."""
    said = []
    for block in holder.blocks:
        if isinstance(block, Paragraph):
            said.append(block.text)
        elif isinstance(block, Answers):
            said += [headline for _, _, headline in block.items]
        elif isinstance(block, Bullets) and block.mark != "areas":
            said += block.items
        elif isinstance(block, Folded):
            said += words_of(block)
    if isinstance(holder, Section):
        for part in holder.parts:
            said += words_of(part)
    return said


def test_each_neighbourhood_has_a_page_and_the_list_leads_to_all(
    result: Result, made: dict[str, Document]
) -> None:
    names = {(d.initiative, d.neighbourhood) for d in result.designs}
    names |= {(f.initiative, f.neighbourhood) for f in result.findings if f.neighbourhood}
    assert len(made) == len(names) + 1
    index = to_html(made["index.html"], {})
    assert set(re.findall(r'href="([\w-]+\.html)"', index)) == set(made) - {"index.html"}


def test_names_that_mean_harm_are_only_text(made: dict[str, Document]) -> None:
    for document in made.values():
        assert "<script" not in to_html(document, {})
    assert any(HOSTILE in document.title for document in made.values())


def test_a_page_is_read_at_the_age_of_twelve(made: dict[str, Document]) -> None:
    for document in made.values():
        said = [text for section in document.sections for text in words_of(section)]
        grade = reading_grade(" ".join(said).replace(HOSTILE, "Here"))
        assert grade <= READING_GRADE, (document.title, grade)


def test_the_reading_test_can_fail() -> None:
    hard = "The counterfactual distribution of standardised estimates demonstrates heterogeneity."
    assert reading_grade(hard) > READING_GRADE


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_plain_words(result: Result, verdict: Verdict) -> None:
    own = next(f for f in result.findings if f.neighbourhood)
    estimate = None if verdict is Verdict.NOT_ESTIMABLE else own.estimate
    finding = replace(own, verdict=verdict, estimate=estimate, caveats=("too few years",))
    text = short.plain_answer(finding)
    assert "None" not in text
    assert "nan" not in text
    assert ("too few years" in text.lower()) is (estimate is None)
    assert bool(short.how_sure(finding)) is (estimate is not None)


def test_the_smallest_change_one_place_could_show_is_said(result: Result) -> None:
    own = next(f for f in result.findings if f.neighbourhood)
    assert "A change of less than 31.0% could be missed." in short.how_sure(own)


def test_equal_names_get_pages_of_their_own(result: Result) -> None:
    twins = tuple(replace(d, neighbourhood="Twin") for d in result.designs[:1])
    other = tuple(replace(d, neighbourhood="twin") for d in result.designs[:1])
    slugs = neighbourhood_pages.places(replace(result, designs=twins + other, findings=()))
    assert sorted(slugs.values()) == ["twin", "twin-2"]


def many(result: Result, n: int) -> Result:
    own = next(f for f in result.findings if f.neighbourhood)
    design = result.designs[0]
    names = [f"Place {i:03d}" for i in range(n)]
    return replace(
        result,
        findings=(
            *(f for f in result.findings if f.neighbourhood is None),
            *(replace(own, neighbourhood=name, group=own.initiative) for name in names),
        ),
        designs=tuple(replace(design, neighbourhood=name) for name in names),
    )


def test_four_hundred_neighbourhoods_still_make_a_usable_report(result: Result, tmp_path: Path) -> None:
    whole = replace(many(result, 400), shapes=())
    files.write_result(whole, tmp_path / "out")
    report = tmp_path / "out" / "annex.html"
    assert report.stat().st_size < 3_000_000
    assert 'href="neighbourhoods/index.html"' in report.read_text(encoding="utf-8")
    pages = sorted((tmp_path / "out" / "neighbourhoods").glob("*.html"))
    assert len(pages) == 401
    assert all(own.stat().st_size < 200_000 for own in pages)
    index = (tmp_path / "out" / "neighbourhoods" / "index.html").read_text(encoding="utf-8")
    assert index.count('<a href="place-') == 400


def test_a_programme_without_findings_of_neighbourhoods_has_no_pages(result: Result) -> None:
    whole = tuple(f for f in result.findings if f.neighbourhood is None)
    assert list(neighbourhood_pages.pages(replace(result, findings=whole))) == []


def test_small_charts_hold_the_findings_interval(made: dict[str, Document]) -> None:
    text = to_html(made["neighbourhood-1-residents-first.html"], {})
    assert 'data-column="observed"' in text
    assert "this place" in text


def test_residents_read_names_and_no_codes_and_a_place_is_called_by_its_name(result: Result) -> None:
    areas = tuple(replace(a, name=f"Aldermere {i:03d}A") for i, a in enumerate(result.areas))
    pages = dict(neighbourhood_pages.pages(replace(result, areas=areas)))
    own = pages["neighbourhood-1-residents-first.html"]
    assert (own.title, own.question) == ("Neighbourhood 1", "Residents First")
    (listed,) = (b for s in own.sections for b in s.blocks if isinstance(b, Bullets) and b.mark == "areas")
    assert all(re.fullmatch(r"Aldermere \d{3}A", name) for name in listed.items)
    html = to_html(own, {})
    assert ">described<" not in html


def polygons_of(path: str) -> list[shapely.Polygon]:
    rings = (np.array(re.findall(r"-?\d+", part), dtype=float).reshape(-1, 2) for part in path.split("M")[1:])
    return [shapely.Polygon(ring.cumsum(axis=0)) for ring in rings]


@pytest.mark.parametrize("n", [12, 150])
def test_no_area_is_left_out_of_the_map_behind_the_pins(n: int) -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * 1000.0
    places = [(i, j) for i in range(n) for j in range(n)] + [(n + 5, 3), (n + 5.2, 9.0)]  # islands
    shapes = tuple(Shape(f"{i} {j}", (square + 1000 * np.array([i, j]),)) for i, j in places)
    outlines = Outlines(shapes, "")
    assert len(outlines.backdrop) <= BACKDROP_BYTES
    land = shapely.make_valid(shapely.union_all(polygons_of(outlines.backdrop)))
    for shape in shapes:
        x, y = outlines.centre(shape.area)
        assert land.contains(shapely.Point(10 * x, 10 * y)), shape.area
