"""What a chart draws is what its CSV says: read back from the SVG, by the scales in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import csvw
import pytest

from areaeffect.report import files, places_chart, small_multiples, svg
from areaeffect.results import Result, Series
from tests.unit.sample_result import sample_result
from tests.unit.test_report_page import contrast

PLACE = 0.006  # places are written at two decimals
SIGNS = ("BLUE", "ORANGE", "PLUM", "TEAL", "GREY")


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=99)


@pytest.fixture(scope="module")
def folder(result: Result, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "out"
    files.write_result(result, out)
    return out


def scale(text: str, which: str) -> tuple[float, float]:
    """Return slope and intercept that turn a place into a value."""
    found = re.search(rf'data-{which}="([^"]+)"', text)
    assert found
    first, at_first, last, at_last = map(float, found[1].split())
    slope = (last - first) / (at_last - at_first)
    return slope, first - slope * at_first


def drawn(text: str, column: str) -> list[float]:
    """Return the values of a column in the order drawn."""
    slope, zero = scale(text, "y")
    paths = re.findall(rf'<path data-column="{column}" d="([^"]+)"', text)
    points = [p for path in paths for p in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]
    return [slope * float(y) + zero for _, y in points]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same(values: list[float], expected: list[float], step: float) -> None:
    assert len(values) == len(expected)
    for value, wanted in zip(values, expected, strict=True):
        assert abs(value - wanted) <= step, (value, wanted)


def charts(folder: Path, kind: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    found = sorted((folder / "charts").glob(f"*-{kind}.svg"))
    assert found
    for path in found:
        yield path.read_text(encoding="utf-8"), rows_of(path.with_suffix(".csv"))


def test_trends_draw_their_csv(folder: Path) -> None:
    for text, rows in charts(folder, "trend"):
        step = abs(scale(text, "y")[0]) * PLACE
        for name in ("observed", "benchmark", "observed_mean_12", "benchmark_mean_12"):
            known = [float(row[name]) for row in rows if row[name]]
            same(drawn(text, name), known, step)
        ends = [float(row[n]) for row in rows for n in ("expected_low", "expected_high") if row[n]]
        same(sorted(drawn(text, "expected_low expected_high")), sorted(ends), step)


def test_placebo_bars_and_estimates_draw_their_csv(folder: Path) -> None:
    for text, rows in charts(folder, "placebo"):
        step = abs(scale(text, "y")[0]) * PLACE
        tops = drawn(text, "draws")[1::4]
        same(tops, [float(row["draws"]) for row in rows], step)


def test_places_draw_their_rows(result: Result) -> None:
    own = [f for f in result.findings if f.neighbourhood]
    rows = places_chart.place_rows(own)
    text = places_chart.places_chart(rows, key="k", title="t")
    slope, zero = scale(text, "x")
    centres = re.findall(r'<circle data-column="estimate" cx="(-?[\d.]+)"', text)
    same([slope * float(x) + zero for x in centres], [r["estimate"] for r in rows], slope * PLACE)
    assert [r["neighbourhood"] for r in rows] == sorted(r["neighbourhood"] for r in rows)


def test_small_charts_draw_their_rows(result: Result) -> None:
    own = next(f for f in result.findings if f.neighbourhood)
    values = (9.0, 8.0, None, 7.0, 5.0, 6.0)
    path = Series("g", own.outcome, tuple("123456"), values, (8.0,) * 6, (), ("3",), "u", "n")
    rows = small_multiples.panel_rows([(replace(own, post="4 to 6"), path)])
    text = small_multiples.panels_chart(rows, key="k", title="t", start="4")
    step = abs(scale(text, "y")[0]) * PLACE
    same(drawn(text, "observed"), [v for v in values if v is not None], step)
    assert rows[-1]["expected_low"] is not None
    assert rows[0]["expected_low"] is None


def test_the_reader_finds_a_moved_point(folder: Path) -> None:
    text, rows = next(charts(folder, "trend"))
    moved = re.sub(r'(<path data-column="benchmark" d="M-?[\d.]+ )([\d.]+)', r"\g<1>9.9", text)
    known = [float(row["benchmark"]) for row in rows if row["benchmark"]]
    with pytest.raises(AssertionError):
        same(drawn(moved, "benchmark"), known, abs(scale(text, "y")[0]) * PLACE)


def test_every_chart_has_its_files(folder: Path) -> None:
    stems = {path.stem for path in (folder / "charts").glob("*.svg")}
    assert {path.stem for path in (folder / "charts").glob("*.png")} == stems
    page = (folder / "report.html").read_text(encoding="utf-8")
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
