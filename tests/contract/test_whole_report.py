"""A small county with everything in it, read back by code that did not write it."""

from __future__ import annotations

import ast
import csv
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from pypdf import PdfReader

import areaeffect
from areaeffect.commands.check import design_into
from areaeffect.commands.evaluate import evaluate_into
from areaeffect.document.blocks import Document, figures, in_print
from areaeffect.document.chart_tables import Figure
from areaeffect.document.page import pages
from areaeffect.multiverse.curves import Branch
from areaeffect.multiverse.section import curve_chart, curve_rows
from areaeffect.power.calculation import PowerReport, PowerRow
from areaeffect.power.page import power_figure
from areaeffect.report import faces, files, neighbourhood_pages
from areaeffect.report.contents import report_document
from areaeffect.report.summary import summary_document
from areaeffect.results import Result
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county, write_county
from areaeffect.web.history import history_chart, history_rows
from tests.conftest import REPOSITORY
from tests.shared.chart_reader import check_chart, value_of
from tests.shared.number_reader import TOKEN, unread
from tests.shared.result_folder import Folder
from tests.shared.text_blocks import Text, texts
from tests.unit.report.test_neighbourhood_pages import READING_GRADE, reading_grade, words_of
from tests.unit.report.test_report_numbers import check_report, text_of
from tests.unit.report.test_report_pdf import squeezed
from tests.unit.report.test_report_pdf import words_of as printed_words
from tests.unit.wording.test_wording import BANNED

LED = ProgrammeSpec(
    name="Residents First",
    resident_led=True,
    n_neighbourhoods=4,
    starts=("2016-01-01", "2017-01-01"),
    effects={"crime": -0.15},
    sizes=(2, 3),
)
OTHER = ProgrammeSpec(
    name="Council Partnership",
    resident_led=False,
    n_neighbourhoods=3,
    starts=("2016-01-01",),
    effects={},
    sizes=(2, 3),
)
ENDS = {"low", "high"}
#: Every function that makes a chart: the names of its charts, and what must be drawn from rows.
CHARTS: Mapping[str, tuple[str, set[str]]] = {
    "report.charts.trend_chart": (
        r"-trend$", {"observed", "benchmark", "expected_low", "expected_high"},
    ),
    "report.charts.placebo_chart": (r"-placebo$", {*ENDS, "draws", "estimate"}),
    "report.forest.effects_chart": (
        r"-effects$",
        {*ENDS, "estimate", "threshold_low", "threshold_high", "mde_drawn"},
    ),
    "report.figures.balance_chart": (r"^balance-", {"before", "after"}),
    "further.event_time_section.event_time_chart": (
        r"^event-time-", {*ENDS, "estimate", "low_together", "high_together"},
    ),
    "checks.section.interval_chart": (
        r"^(leads|earlier|rings|leave-out|leave-area-out)$", {*ENDS, "estimate"},
    ),
    "multiverse.section.curve_chart": (r"^multiverse-", {"effect", "band_low", "band_high"}),
    "web.history.history_chart": (r"^history-", {"area", "area_mean_12", "country_mean_12"}),
    "power.page.power_chart": (r"^power-", {"smallest_effect"}),
}  # fmt: skip
#: What a plan for registration has to hold.
PLANNED = (
    "The question", "What will be estimated", "Primary", "Who is compared", "benchmark areas",
    "alike", "What this study could see", "The main test is the placebo", "Seal",
)  # fmt: skip
MAPS = {"document.maps.draw_map", "report.local_map._finish"}


def write_small_county(folder: Path) -> Path:
    spec = CountySpec(n_areas=220, seed=5, programmes=(LED, OTHER))
    study = write_county(simulate_county(spec), folder)
    text = study.read_text(encoding="utf-8")
    study.write_text(re.sub(r"placebos = \d+", "placebos = 39", text), encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_county(tmp_path_factory.mktemp("county"))


@pytest.fixture(scope="module")
def folder(study: Path) -> Path:
    evaluate_into(study, study.parent / "out", threads=1)
    return study.parent / "out"


@pytest.fixture(scope="module")
def result(folder: Path) -> Result:
    return files.read_result(folder)


@pytest.fixture(scope="module")
def drawn(result: Result) -> list[Figure]:
    """Every figure of report and neighbourhood pages, with those of other commands and the web."""
    links = faces.links_of(result)
    documents = [report_document(result, links), summary_document(result, links)]
    documents += [document for _, document in neighbourhood_pages.pages(result)]
    found = [figure for document in documents for figure in figures(document)]
    return [*found, curve_figure(), power_figure(power(), "crime"), history_figure()]


def curve_figure() -> Figure:
    """A specification curve of twelve branches with choices that take two values each."""
    branches = [
        Branch(
            group="G", outcome="crime", p_value=0.5,
            rank=i + 1, effect=-0.2 + 0.03 * i, placebo_low=-0.3, placebo_high=0.3,
            band_low=-0.4 + 0.05 * i, band_high=-0.1 + 0.05 * i, buffer_km=float(i % 2),
            common_support=i % 3 == 0, weighting=("chi-square", "<entropy>")[i % 2],
            window="all", estimator="totals", form="ratio", is_study=i == 4,
        )
        for i in range(12)
    ]  # fmt: skip
    rows = curve_rows([*branches, replace(branches[0], rank=None)], "ratio")
    chart = curve_chart(rows, key="m", title="t", form="ratio", unit="", missing=1)
    return replace(power_figure(power(), "crime"), chart=chart, name="multiverse-0", rows=tuple(rows))


def history_figure() -> Figure:
    """An area beside its country over three years, with a gap."""
    months = [f"{2020 + i // 12}-{i % 12 + 1:02d}" for i in range(36)]
    own = [float("nan") if 14 <= i < 17 else 5.0 + i % 7 for i in range(36)]
    rows = history_rows(months, ("area", "country"), (own, [6.0 + i % 5 for i in range(36)]))
    chart = history_chart(rows, ("Here", "England"), key="h", title="t", unit="per 1,000")
    base = power_figure(power(), "crime")
    return replace(base, chart=chart, name="history-0", rows=tuple(rows))


def power() -> PowerReport:
    def row(n: int, mde: float | None, group: str = "") -> PowerRow:
        return PowerRow(
            outcome="crime",
            label="crime",
            family="crime",
            claim="change",
            form="ratio",
            better="lower",
            threshold=0.05,
            group=group,
            n=n,
            years=2.0,
            as_planned=True,
            basis="measured" if mde else "not estimable",
            mde=mde,
            p_little=0.1,
        )

    rows = (row(1, -0.38), row(5, -0.21), row(20, -0.1), row(3, -0.22, "Residents First"))
    return PowerReport(title="t", step="year", history=4, planned=2, measured=2, left_out=(), rows=rows)


def chart_functions() -> set[str]:
    """Return every function of the report that makes an SVG element."""
    found = set()
    root = Path(areaeffect.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and ast.unparse(call.func).endswith("accessible")
                for call in ast.walk(node)
            ):
                found.add(".".join([*path.relative_to(root).with_suffix("").parts, node.name]))
    return found


# ---------------------------------------------------------------- charts


def test_no_chart_escapes_the_registry(drawn: Sequence[Figure]) -> None:
    assert chart_functions() == {*CHARTS, *MAPS}
    patterns = "|".join(pattern for pattern, _ in CHARTS.values())
    others = [f.name for f in drawn if not re.search(patterns, f.name)]
    assert all(re.match(r"(summary-)?map$|where-", name) for name in others), others


@pytest.mark.parametrize("function", CHARTS)
def test_a_chart_draws_its_rows(drawn: Sequence[Figure], function: str) -> None:
    pattern, columns = CHARTS[function]
    own = [figure for figure in drawn if re.search(pattern, figure.name)]
    assert own
    read = set()
    for figure in own:
        read |= check_chart(figure.chart, figure.rows)
    assert columns <= read
    assert all(figure.table.rows for figure in own)


def test_the_files_of_a_chart_hold_what_is_drawn(folder: Path) -> None:
    stems = {path.stem for path in (folder / "charts").glob("*.svg")}
    for ending in ("png", "csv", "csv-metadata.json"):
        found = {p.name.partition(".")[0] for p in (folder / "charts").glob(f"*.{ending}")}
        assert stems - found <= ({"summary-map"} if "csv" in ending else set())
    for path in sorted((folder / "charts").glob("*.svg")):
        if not path.stem.endswith("map"):
            with path.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
                check_chart(path.read_text(encoding="utf-8"), list(csv.DictReader(file)))


def test_the_strokes_of_a_curve_stand_under_their_branches() -> None:
    figure = curve_figure()
    dots = re.findall(r'<(?:circle|rect) data-column="effect" (?:c?x)="(-?[\d.]+)"', figure.chart)
    lines = re.findall(r'data-choice="(\w+)=([^"]+)" d="([^"]+)"', figure.chart)
    assert len(lines) == 6
    for name, value, path in lines:
        chosen = [
            str(value_of(row, name)) == value.replace("&lt;", "<").replace("&gt;", ">") for row in figure.rows
        ]
        assert len(re.findall("M", path)) == sum(chosen)
    assert len(dots) == 12


def test_the_key_of_the_map_counts_its_areas(result: Result, drawn: Sequence[Figure]) -> None:
    (figure,) = (f for f in drawn if f.name == "map")
    key = dict(re.findall(r">([^<>]+) \(([\d,]+)\)</text>", figure.chart))
    for role, start in (("treated", "areas of"), ("benchmark", "benchmark"), ("left out", "left")):
        counted = sum(int(n.replace(",", "")) for text, n in key.items() if text.startswith(start))
        assert counted == sum(r.areas for r in figure.rows if r.role == role)
        assert counted == sum(area.role == role for area in result.areas)


def test_the_pins_of_a_map_are_the_numbers_of_its_table(drawn: Sequence[Figure]) -> None:
    maps = [f for f in drawn if f.title == "Where our benchmark areas are"]
    assert maps
    for figure in maps:
        pins = re.findall(r'font-weight="bold" text-anchor="middle"[^>]*>(\d+)<', figure.chart)
        assert sorted(pins, key=int) == [row[0] for row in figure.table.rows]


# ---------------------------------------------------------------- texts


@pytest.fixture(scope="module")
def document(result: Result) -> Document:
    return report_document(result, faces.links_of(result))


@pytest.fixture(scope="module")
def said(result: Result, document: Document) -> list[tuple[Text, str]]:
    """Every text of report and neighbourhood pages, with the card or place it is about."""
    found = [(text, text.card) for text in texts(document)]
    initiatives = {d.neighbourhood: d.initiative for d in result.designs}
    for name, own in neighbourhood_pages.pages(result):
        place = "" if name == "index.html" else f"{own.title}, {own.question or initiatives[own.title]}"
        found += [(text, place) for text in texts(own)]
    return found


def not_found(files_: Folder, text: str, about: Text, card: str) -> list[str]:
    scope = files_.about_text(text, about.section, card, about.kind)
    return unread(text, scope, files_.literals)


def test_every_number_of_every_text_is_in_the_files(folder: Path, said: Sequence[tuple[Text, str]]) -> None:
    held = Folder(folder)
    lost = [(t.section, c) for t, card in said for c in not_found(held, t.text, t, card)]
    assert not lost
    assert sum(len(TOKEN.findall(t.text)) for t, _ in said) > 1_000


def test_every_row_of_results_is_read_back(folder: Path) -> None:
    assert check_report(folder) > 10


def test_the_reader_finds_most_wrong_numbers(folder: Path, said: Sequence[tuple[Text, str]]) -> None:
    """One digit of one number is changed in every text."""
    held, rng = Folder(folder), random.Random(8)
    caught: dict[bool, list[bool]] = {True: [], False: []}
    for about, card in said:
        numbers = list(TOKEN.finditer(about.text))
        if numbers:
            number = rng.choice(numbers)
            at = number.end("digits") - 1
            digit = str((int(about.text[at]) + rng.randint(1, 9)) % 10)
            wrong = about.text[:at] + digit + about.text[at + 1 :]
            found = bool(not_found(held, wrong, about, card))
            caught["." in number["digits"]].append(found)
    assert len(caught[True]) > 100
    assert fmean(caught[True]) > 0.8
    assert fmean(caught[False]) > 0.5


def test_page_and_pdf_say_every_text(folder: Path, document: Document) -> None:
    on_page = squeezed(text_of((folder / "annex.html").read_text(encoding="utf-8")))
    in_pdf = printed_words(PdfReader(folder / "annex.pdf"))
    for about in texts(document):
        assert about.kind == "in print" or told(about) in on_page, about
    for about in texts(in_print(document)):
        assert about.kind == "description of a chart" or told(about) in in_pdf, about


def told(about: Text) -> str:
    """Return a text without spaces; a fact's name and value stand apart."""
    return squeezed(about.text.replace(": ", " ", 1) if about.kind == "Facts" else about.text)


def test_no_text_says_what_may_not_be_said(said: Sequence[tuple[Text, str]]) -> None:
    for about, _ in said:
        words = about.text.lower()
        assert not [phrase for phrase in BANNED if phrase in words], about
        assert not re.search(r"\b(NaN|nan|None|inf)\b", about.text), about
        assert not re.search(r"\d %", words), about
        assert not re.search(r"(?<![\w.-])-\d", words), about


def test_pages_of_neighbourhoods_are_read_at_twelve(result: Result) -> None:
    grades = {}
    for name, own in neighbourhood_pages.pages(result):
        if name != "index.html":
            words = " ".join(text for section in own.sections for text in words_of(section))
            grades[name] = reading_grade(words)
    assert len(grades) == 7
    assert max(grades.values()) <= READING_GRADE, grades


# ---------------------------------------------------------------- the same bytes


def test_every_file_is_the_same_in_another_folder_on_four_threads(folder: Path, tmp_path: Path) -> None:
    study = write_small_county(tmp_path)
    evaluate_into(study, tmp_path / "elsewhere", threads=4)
    first, second = (
        {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}
        for out in (folder, tmp_path / "elsewhere")
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    endings = {Path(name).suffix for name in first}
    assert {".html", ".pdf", ".svg", ".png", ".csv", ".json"} <= endings


# ---------------------------------------------------------------- the plan


def test_a_plan_with_power_is_whole(study: Path, tmp_path: Path) -> None:
    sealed = design_into(study, tmp_path / "plan")
    text = text_of((tmp_path / "plan" / "plan.html").read_text(encoding="utf-8"))
    printed = squeezed("".join(p.extract_text() for p in PdfReader(tmp_path / "plan/plan.pdf").pages))
    for part in PLANNED:
        assert part in text, part
        assert squeezed(part) in printed, part
    assert pages((tmp_path / "plan/plan.pdf").read_bytes()) <= 2
    assert sealed in text
    assert json.loads((tmp_path / "plan/design.json").read_text())["seal"]["sha256"] == sealed
    assert re.search(r"a (fall|rise) of \d+(\.\d)?%", text)
    assert not [phrase for phrase in BANNED if phrase in text.lower()]


def test_every_column_of_every_table_is_in_the_reference(folder: Path) -> None:
    page = (REPOSITORY / "docs" / "reference" / "results.md").read_text(encoding="utf-8")
    sections = dict(
        part.partition("\n")[::2] for part in page.split("\n### ")[1:]
    )  # heading of a table: its text
    for described in sorted((folder / "data").glob("*.csv-metadata.json")):
        table = json.loads(described.read_text(encoding="utf-8"))
        own = sections[f"`data/{table['url']}`"]
        missing = [c["name"] for c in table["tableSchema"]["columns"] if f"| `{c['name']}` |" not in own]
        assert not missing, f"{table['url']}: {missing}; run `python docs/make_reference.py`"
