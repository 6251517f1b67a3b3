"""What a chart draws is what its CSV says: read back from the SVG, by the scales in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import csvw
import pytest

from areaeffect import wording
from areaeffect.document import svg
from areaeffect.report import figures, files, forest
from areaeffect.results import Result, Series
from tests.shared.chart_reader import check_chart
from tests.shared.sample_result import sample_result
from tests.unit.report.test_report_page import contrast

SIGNS = ("BLUE", "ORANGE", "PLUM", "TEAL", "GREY")


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=99)


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    files.write_result(result, out)
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def charts(folder: Path, kind: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    found = sorted((folder / "charts").glob(f"*-{kind}.svg"))
    assert found
    for path in found:
        yield path.read_text(encoding="utf-8"), rows_of(path.with_suffix(".csv"))


@pytest.mark.parametrize("kind", ["trend", "placebo", "effects"])
def test_charts_draw_their_csv(folder: Path, kind: str) -> None:
    for text, rows in charts(folder, kind):
        check_chart(text, rows)


def test_the_trend_of_a_neighbourhood_draws_its_rows(result: Result) -> None:
    own = next(f for f in result.findings if f.neighbourhood)
    values = (9.0, 8.0, None, 7.0, 5.0, 6.0)
    path = Series(
        group="g",
        outcome=own.outcome,
        periods=tuple("123456"),
        observed=values,
        counterfactual=(8.0,) * 6,
        start=("4",),
        gaps=("3",),
        unit="u",
        neighbourhood="n",
    )
    figure = figures.trend(replace(own, post="4 to 6"), path)
    read = check_chart(figure.chart, figure.rows)
    assert read == {"observed", "benchmark", "expected_low", "expected_high"}
    assert figure.rows[5].expected_low is not None
    assert figure.rows[0].expected_low is None


def test_the_reader_finds_a_moved_point(folder: Path) -> None:
    text, rows = next(charts(folder, "trend"))
    moved = re.sub(r'(<path data-column="benchmark" d="M-?[\d.]+ )([\d.]+)', r"\g<1>9.9", text)
    with pytest.raises(AssertionError):
        check_chart(moved, rows)


def test_an_end_that_was_not_found_runs_to_the_edge_and_says_so(result: Result) -> None:
    own = [
        replace(f, interval=replace(f.interval, low=None))
        for f in wording.main_findings(result.findings)
        if f.interval
    ]
    rows = forest.effect_rows(own)
    text = forest.effects_chart(rows, interval="95% interval", key="k", title="t")
    assert "low" not in check_chart(text, rows)
    assert text.count('data-open="low"') == sum(row.high is not None for row in rows)


def test_every_chart_has_its_files(folder: Path) -> None:
    stems = {path.stem for path in (folder / "charts").glob("*.svg")}
    assert {path.stem for path in (folder / "charts").glob("*.png")} == stems
    page = (folder / "annex.html").read_text(encoding="utf-8")
    for link in set(re.findall(r'href="(charts/[^"]+)"', page)):
        assert (folder / link).is_file()
    assert sum(p.stat().st_size for p in (folder / "charts").glob("*.png")) / len(stems) < 90_000


def test_every_table_validates_as_csv_on_the_web(folder: Path) -> None:
    described = sorted(folder.rglob("*.csv-metadata.json"))
    assert len(described) == len(list(folder.rglob("*.csv"))) > 40
    for path in described[::4]:
        table = csvw.CSVW(str(path), validate=True)
        assert table.is_valid, (path, table.warnings)


@pytest.mark.parametrize("name", SIGNS)
def test_lines_and_marks_stand_out_from_white(name: str) -> None:
    assert contrast(getattr(svg, name).lower(), "#ffffff") >= 3
