"""The report as a browser shows it: WCAG 2.2 AA by axe, narrow screens, seeded faults."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from areaeffect.commands.check import design_into
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.commands.index import index_into
from areaeffect.commands.where_next import Request, where_next_into
from areaeffect.power.page import write_power
from areaeffect.report import files
from areaeffect.results import Series
from tests.contract.test_whole_report import power
from tests.shared.sample_result import sample_result
from tests.shared.small_study import edit_table, write_small_study
from tests.unit.where_next.test_where_next import INDEX, fewer_in_abbey
from tests.web.browser import NARROW

RULES = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
}
PAGES = ("report.html", "annex.html", "neighbourhoods/index.html", "neighbourhoods/neighbourhood-1.html")
GROUP_LEFT_OUT = "All initiatives"
FAULTS = {  # what is broken, and the rule of axe that must say so
    "no language": (r'<html lang="en-GB">', "<html>", "html-has-lang"),
    "no title": (r"<title>[^<]*</title>\n<style>", "<style>", "document-title"),
    "pale text": ("--soft: #505a5f", "--soft: #b1b4b6", "color-contrast"),
    "a picture without words": (
        r'aria-labelledby="[^"]*"([^>]*>)\n<title[^>]*>[^<]*</title>\n<desc[^>]*>[^<]*</desc>',
        r"\1",
        "svg-img-alt",
    ),
    "a link without words": (r'(<a href="#charts">)[^<]*', r"\1", "link-name"),
    "a field without a label": ('<main id="main">', '<main id="main"><input>', "label"),
    "a heading left out": (r"<(/?)h2\b", r"<\1h5", "heading-order"),
    "a list with a stray child": (r'(<ul class="answers">)', r"\1<div>stray</div>", "list"),
    "no zoom": ("initial-scale=1", "initial-scale=1, user-scalable=no", "meta-viewport"),
    "a role that does not exist": ('role="group"', 'role="gruop"', "aria-roles"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = sample_result(placebos=19)
    kept = {"crime", "environment_score", "social_relationships"}  # axe is slow on large pages
    result = replace(
        whole,
        findings=tuple(f for f in whole.findings if f.outcome in kept and f.group != GROUP_LEFT_OUT),
        series=tuple(_shortened(s) for s in whole.series if s.outcome in kept),
        designs=whole.designs[:2],
        balance=tuple(b for b in whole.balance if b.neighbourhood == "Neighbourhood 1"),
    )
    own = next(f for f in result.findings if f.neighbourhood == "Neighbourhood 1")
    values = (9.0, 8.0, None, 7.0, 5.0, 6.0)
    path = Series(
        group=own.group,
        outcome=own.outcome,
        periods=tuple("123456"),
        observed=values,
        counterfactual=values,
        start=(),
        gaps=("3",),
        unit="crimes",
    )
    path = replace(path, neighbourhood="Neighbourhood 1")
    out = tmp_path_factory.mktemp("run") / "out"
    files.write_result(replace(result, neighbourhood_series=(path,)), out)
    return out


@pytest.fixture
def view(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def _shortened(series: Series) -> Series:
    """Keep the middle of a long series, which holds a start and a gap: axe looks at every cell."""
    some = slice(44, 74) if len(series.periods) > 60 else slice(0, None)
    return replace(
        series,
        periods=series.periods[some],
        observed=series.observed[some],
        counterfactual=series.counterfactual[some],
    )


def violations(view: Page) -> dict[str, Any]:
    found = Axe().run(view, options=RULES).response["violations"]
    return {rule["id"]: [node["html"][:200] for node in rule["nodes"]][:3] for rule in found}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("unfolded", [False, True])
def test_axe_finds_nothing(view: Page, folder: Path, name: str, *, unfolded: bool) -> None:
    view.goto((folder / name).as_uri())
    if unfolded:
        view.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(view) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_axe_finds_a_seeded_fault(view: Page, folder: Path, tmp_path: Path, fault: str) -> None:
    pattern, instead, rule = FAULTS[fault]
    text = (folder / PAGES[-1]).read_text(encoding="utf-8")
    whole = re.sub(r"<meta http-equiv=[^>]*>", "", text)  # its policy names the style by hash
    broken = re.sub(pattern, instead, whole)
    assert broken != whole != text
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    view.goto((tmp_path / "broken.html").as_uri())
    assert rule in violations(view)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_scrolls_sideways_on_a_narrow_screen(view: Page, folder: Path, name: str) -> None:
    view.set_viewport_size(NARROW)
    view.goto((folder / name).as_uri())
    view.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    width = view.evaluate("() => document.documentElement.scrollWidth")
    assert width <= NARROW["width"]


def test_every_target_is_large_enough_and_reached_by_the_keyboard(view: Page, folder: Path) -> None:
    view.goto((folder / "annex.html").as_uri())
    small = view.evaluate(
        "() => [...document.querySelectorAll('nav a, summary')]"
        ".filter(e => e.getBoundingClientRect().height < 24).length"
    )
    assert small == 0
    view.keyboard.press("Tab")
    assert view.evaluate("() => document.activeElement.textContent") == "Skip to the answer"


def test_a_page_of_a_neighbourhood_is_printed_on_two_sides(view: Page, folder: Path) -> None:
    view.goto((folder / PAGES[-1]).as_uri())
    printed = PdfReader(io.BytesIO(view.pdf(prefer_css_page_size=True)))
    assert len(printed.pages) <= 2


WIDTHS = (360, 768, 1280)
BESIDE = (
    "study/report.html", "study/annex.html", "plan/plan.html", "power/power.html", "index/index.html",
    "where/where_next.html",
)  # fmt: skip
MEASURED = """() => {
    const wide = (inner, outer) =>
        inner.getBoundingClientRect().right > outer.getBoundingClientRect().right + 1
        || inner.getBoundingClientRect().width > outer.clientWidth + 1;
    const holders = name => [...document.querySelectorAll(name)].filter(e => e.offsetParent);
    const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5;
    const texts = svg => [...svg.querySelectorAll('text')].filter(t => t.textContent.trim())
        .map(t => [t.textContent, t.getBoundingClientRect()]);
    const pairs = [], small = [], out = [];
    for (const svg of document.querySelectorAll('main svg')) {
        const own = texts(svg), frame = svg.getBoundingClientRect();
        own.forEach(([a, box], i) => {
            if (box.height < 9) small.push(a);
            if (box.left < frame.left - 1 || box.right > frame.right + 1) out.push(a);
            own.slice(i + 1).forEach(([b, other]) => { if (over(box, other)) pairs.push([a, b]); });
        });
    }
    return {
        charts: holders('.chart').filter(e => wide(e.querySelector('svg'), e)).length,
        tables: holders('.scroll').filter(e => wide(e.querySelector('table'), e)).length,
        pairs: pairs, small: small, out: out,
        drawn: document.querySelectorAll('main svg').length,
        page: document.documentElement.scrollWidth,
    };
}"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_drawn_for_its_width(view: Page, folder: Path, name: str, width: int) -> None:
    view.set_viewport_size({"width": width, "height": 800})
    view.goto((folder / name).as_uri())
    view.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = view.evaluate(MEASURED)
    assert bool(found.pop("drawn")) is ("index" not in name)
    assert found.pop("page") <= width
    assert found == {"charts": 0, "tables": 0, "pairs": [], "small": [], "out": []}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the pages that other commands write, with those commands, on small studies."""
    folder = tmp_path_factory.mktemp("beside")
    study, out = write_small_study(folder), folder / "pages"
    edit_table(folder / "crime.csv", fewer_in_abbey)
    evaluate_into(study, out / "study", threads=1)
    design_into(study, out / "plan", threads=1)
    whole = power()  # three initiatives of one size lie on one point
    own = [replace(whole.rows[-1], group=group) for group in ("Council Partnership", "All initiatives")]
    write_power(replace(whole, rows=(*whole.rows, *own)), out / "power")
    index = folder / "index.toml"
    index.write_text(INDEX, encoding="utf-8")
    index_into(index, out / "index")
    request = Request(study=study, results=out / "study", need=index, first=5)
    where_next_into(request, out / "where", lambda *_: None)
    return out


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", BESIDE)
def test_a_page_beside_the_report_is_drawn_for_its_width(
    view: Page, beside: Path, name: str, width: int
) -> None:
    view.set_viewport_size({"width": width, "height": 800})
    view.goto((beside / name).as_uri())
    view.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
    found = view.evaluate(MEASURED)
    assert bool(found.pop("drawn")) is ("index" not in name)
    assert found.pop("page") <= width
    assert found == {"charts": 0, "tables": 0, "pairs": [], "small": [], "out": []}


@pytest.mark.parametrize("name", BESIDE)
def test_axe_finds_nothing_beside_the_report(view: Page, beside: Path, name: str) -> None:
    view.goto((beside / name).as_uri())
    assert violations(view) == {}


def test_a_chart_that_is_cut_and_words_over_words_are_seen(view: Page, folder: Path, tmp_path: Path) -> None:
    whole = (folder / "report.html").read_text(encoding="utf-8")
    broken = re.sub(r"<meta http-equiv[^>]*>", "", whole)  # it would refuse a changed style
    broken = broken.replace("max-width: 26rem", "min-width: 60rem")
    broken = re.sub(r"(<text [^>]*>too small to matter</text>)", r"\1\1", broken)
    assert broken != whole
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    view.set_viewport_size({"width": 360, "height": 800})
    view.goto((tmp_path / "broken.html").as_uri())
    found = view.evaluate(MEASURED)
    assert found["charts"] > 0
    assert found["pairs"]


def test_the_answer_is_on_the_first_screen_of_a_phone(view: Page, folder: Path) -> None:
    view.set_viewport_size({"width": 390, "height": 844})
    view.goto((folder / "report.html").as_uri())
    box = view.locator("#answer + .lead").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 844


def test_links_of_a_report_lead_to_files(folder: Path) -> None:
    for name in PAGES:
        text = (folder / name).read_text(encoding="utf-8")
        for link in set(re.findall(r'href="([^"#]+)"', text)):
            assert ((folder / name).parent / link).is_file(), (name, link)
