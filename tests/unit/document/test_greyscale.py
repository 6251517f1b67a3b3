"""Charts and maps without colour: what lies side by side differs in grey, dash or shape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from areaeffect.document import maps
from areaeffect.document.blocks import Document, figures
from areaeffect.document.page import to_html
from areaeffect.report import faces
from areaeffect.report.contents import report_document
from areaeffect.results import AreaStatus, Floats, Shape
from tests.shared.chart_reader import SVG
from tests.shared.sample_result import sample_result
from tests.unit.report.test_report_page import CSS, luminance

LEAST = 15.0  # steps of lightness (CIE L*, 0 to 100) that are told apart side by side
Look = tuple[float, str, str, str]


def lightness(colour: str) -> float:
    """Return CIE L* of a colour, which is all that greyscale keeps."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def looks(chart: str) -> dict[str, set[Look]]:
    """Return how each column of a chart is drawn: lightness, dash, shape, weight."""
    found: dict[str, set[Look]] = {}
    for mark in ET.fromstring(chart).iter():
        name = mark.get("data-column") or mark.get("data-across")
        if name and mark.get("data-choice") is None:
            fill, line = mark.get("fill", "none"), mark.get("stroke", "none")
            colour = line if fill in {"none", "#FFFFFF"} else fill
            shape = f"{mark.tag.removeprefix(SVG)} {'filled' if fill != 'none' else 'line'}"
            look = (lightness(colour), mark.get("stroke-dasharray", ""), shape,
                    mark.get("stroke-width", ""))  # fmt: skip
            found.setdefault(name, set()).add(look)
    return found


def told_apart(one: Look, other: Look) -> bool:
    return abs(one[0] - other[0]) >= LEAST or one[1:] != other[1:]


@pytest.fixture(scope="module")
def document() -> Document:
    result = sample_result(placebos=39)
    return report_document(result, faces.links_of(result))


def test_columns_of_a_chart_are_told_apart_without_colour(document: Document) -> None:
    compared = 0
    for figure in figures(document):
        for (_, one), (_, other) in combinations(looks(figure.chart).items(), 2):
            assert all(told_apart(a, b) for a in one for b in other), figure.name
            compared += 1
    assert compared > 100


def test_the_lines_of_a_trend_differ_in_grey_and_in_dash(document: Document) -> None:
    trends = [f for f in figures(document) if f.name.endswith("-trend")]
    assert trends
    for figure in trends:
        found = looks(figure.chart)
        for pair in (("observed", "benchmark"), ("observed_mean_12", "benchmark_mean_12")):
            if set(pair) <= set(found):
                (one,), (other,) = (found[name] for name in pair)
                assert abs(one[0] - other[0]) >= LEAST
        bold = "benchmark_mean_12" if "benchmark_mean_12" in found else "benchmark"
        assert next(iter(found[bold]))[1]


def test_the_test_sees_two_greys_that_are_alike() -> None:
    orange, teal = (lightness(colour) for colour in ("#F46A25", "#28A197"))
    assert abs(orange - teal) < LEAST
    one = (orange, "", "path line", "2.6")
    assert not told_apart(one, (teal, "", "path line", "2.6"))
    assert told_apart(one, (teal, "9 4", "path line", "2.6"))


def classes_of_a_map() -> Iterator[maps.MapClass]:
    areas = [
        AreaStatus(
            area=f"t{i}", name="", role="treated", reason="", initiative=f"Programme {i}", neighbourhood="x"
        )
        for i in range(4)
    ]
    areas += [AreaStatus(area=f"b{i}", name="", role="benchmark", weight=0.1 + i) for i in range(8)]
    areas += [AreaStatus(area=f"l{i}", name="", role="left out", reason=f"reason {i}") for i in range(3)]
    yield from maps.classes([*areas, AreaStatus(area="n", name="", role="not chosen")])


def test_classes_of_a_map_are_told_apart_without_colour() -> None:
    drawn = list(classes_of_a_map())
    assert len(drawn) == 12
    for one, other in combinations(drawn, 2):
        if "@" in one.fill + other.fill:
            assert one.fill != other.fill
        else:
            assert abs(lightness(one.fill) - lightness(other.fill)) >= 10, (one.text, other.text)
    used = {kind.fill[1:] for kind in drawn if kind.fill.startswith("@")}
    shapes = [Shape(code, _square(i)) for i, kind in enumerate(drawn) for code in kind.areas]
    text = maps.draw_map(shapes, drawn, key="m", title="t")
    assert all(f'id="m-{name}"' in text and f"url(#m-{name})" in text for name in used)


def _square(i: int) -> tuple[Floats, ...]:
    west = 2000.0 * i
    return (np.array([[west, 0], [west + 1000, 0], [west + 1000, 1000], [west, 1000], [west, 0]]),)


def test_badges_carry_sign_and_word_and_print_keeps_their_ground(document: Document) -> None:
    html = to_html(document, {})
    assert "print-color-adjust: exact" in CSS
    assert html.count('<span class="badge ') == html.count('<span aria-hidden="true">')
    print_rules = CSS.partition("@media print")[2]
    for hidden in ("nav", ".download"):
        assert hidden in print_rules
    assert "break-inside: avoid" in print_rules
