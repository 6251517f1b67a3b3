from __future__ import annotations

import math
import re
from dataclasses import replace
from statistics import fmean
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from areaeffect import wording
from areaeffect.document import maps, svg
from areaeffect.report import charts, figures, forest
from areaeffect.results import AreaStatus, PlaceboDraws, Result, Series, Shape
from tests.shared.sample_result import GAP, HOSTILE, sample_result

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def result() -> Result:
    return sample_result(placebos=99)


def trend(result: Result, which: int = 0, key: str = "t") -> str:
    series = result.series[which]
    return charts.trend_chart(
        charts.trend_rows(series), key=key, title=HOSTILE, starts=series.start, unit="rate"
    )


def all_charts(result: Result) -> list[str]:
    finding, draws = result.findings[0], result.placebos[0]
    main = wording.main_findings(f for f in result.findings if f.group == finding.group)
    return [
        trend(result),
        trend(result, 3, "u"),
        forest.effects_chart(forest.effect_rows(main), interval="95% interval", key="e", title=HOSTILE),
        charts.placebo_chart(
            charts.placebo_rows(draws, finding.estimate), key="p", title=HOSTILE, form="ratio"
        ),
        figures.balance_chart(
            figures.balance_rows(result.balance, "change"), key="b", title=HOSTILE, over=3, among=14
        ),
        maps.map_svg(result.shapes, result.areas, key="m", title=HOSTILE, attribution=HOSTILE),
    ]


def path_of(text: str, column: str) -> np.ndarray:
    """Return the corners of the line that was drawn from a column."""
    found = re.findall(rf'<path data-column="{column}" d="([^"]+)"', text)
    assert len(found) == 1
    return np.array(re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", found[0]), dtype=float)


# ---------------------------------------------------------------- every chart


def test_every_chart_has_a_text_alternative_and_scales(result: Result) -> None:
    for text in all_charts(result):
        root = ET.fromstring(text)
        assert root.get("role") == "img"
        assert root.get("viewBox")
        assert root.get("width") is None
        assert root.get("height") is None
        title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert title is not None
        assert desc is not None
        assert title.text == HOSTILE
        assert len(desc.text or "") > 20
        assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"


def test_ids_of_charts_on_one_page_do_not_meet(result: Result) -> None:
    ids = [i for text in all_charts(result) for i in re.findall(r'\bid="([^"]+)"', text)]
    assert len(ids) == len(set(ids))
    for text in all_charts(result):
        own = set(re.findall(r'\bid="([^"]+)"', text))
        assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', text)) <= own


def test_charts_bring_no_style_script_clock_or_host(result: Result) -> None:
    for text in all_charts(result):
        assert not re.search(r"<style|<script|style=|<metadata|<image|\bon\w+=", text)


def test_a_chart_has_at_most_four_colours_of_the_palette(result: Result) -> None:
    palette = {c.lower() for c in (svg.BLUE, svg.TEAL, svg.PLUM, svg.ORANGE, svg.LILAC)}
    for text in all_charts(result)[:-1]:
        assert len(palette & set(re.findall(r"#[0-9a-f]{6}", text.lower()))) <= 4


def test_dollar_signs_in_names_are_text() -> None:
    series = sample_result(placebos=19).series[3]
    text = charts.trend_chart(charts.trend_rows(series), key="t", title="t", unit="$x^2$")
    assert "$x^2$" in text


# ---------------------------------------------------------------- trend


def test_the_trend_draws_its_rows(result: Result) -> None:
    series = result.series[3]
    rows = charts.trend_rows(series)
    for name in ("observed", "benchmark"):
        values = np.array([getattr(row, name) for row in rows])
        corners = path_of(trend(result, 3), name)
        slope, middle = np.polyfit(values, corners[:, 1], 1)
        assert slope < 0
        assert np.abs(slope * values + middle - corners[:, 1]).max() < 0.02
        assert np.abs(np.diff(corners[:, 0], 2)).max() < 0.03


def test_twelve_month_means_need_all_twelve_months(result: Result) -> None:
    series = result.series[0]
    rows = charts.trend_rows(series)
    for i, row in enumerate(rows):
        window = series.observed[i - 11 : i + 1] if i >= 11 else ()
        if window and None not in window:
            assert row.observed_mean_12 == pytest.approx(fmean(v for v in window if v is not None))
        else:
            assert row.observed_mean_12 is None
            assert row.benchmark_mean_12 is None


def test_yearly_series_have_no_moving_mean(result: Result) -> None:
    assert all(row.observed_mean_12 is None for row in charts.trend_rows(result.series[3]))


def test_a_gap_is_marked_and_is_not_a_zero(result: Result) -> None:
    rows = charts.trend_rows(result.series[0])
    assert {row.period for row in rows if row.is_gap} == set(GAP)
    assert all(row.observed is None for row in rows if row.is_gap)
    text = trend(result)
    assert "-hatch)" in text
    assert "<pattern" in text
    assert "6 periods with a gap" in text


def test_nan_is_a_gap() -> None:
    series = Series(
        group="g",
        outcome="o",
        periods=("2012", "2013", "2014"),
        observed=(1.0, math.nan, 2.0),
        counterfactual=(1.0, 1.0, 1.0),
        start=(),
        gaps=(),
        unit="u",
    )
    rows = charts.trend_rows(series)
    assert [row.is_gap for row in rows] == [False, True, False]
    assert rows[1].observed is None


@pytest.mark.parametrize(
    ("starts", "label"),
    [(("2016-01-01",), ">start Jan 2016<"), (("2016", "2017-06", "2018-Q1"), ">3 starts, first 2016<")],
)
def test_starts_are_marked_and_named(result: Result, starts: tuple[str, ...], label: str) -> None:
    rows = charts.trend_rows(result.series[0])
    assert label in charts.trend_chart(rows, key="t", title="t", starts=starts)


def test_own_numbers_start_between_two_periods() -> None:
    series = Series(
        group="g",
        outcome="o",
        periods=tuple("123456"),
        observed=(1.0,) * 6,
        counterfactual=(2.0,) * 6,
        start=("4",),
        gaps=(),
        unit="u",
    )
    assert ">start 4<" in charts.trend_chart(
        charts.trend_rows(series), key="t", title="t", starts=series.start
    )


def test_an_all_missing_series_can_still_be_drawn() -> None:
    series = Series(
        group="g",
        outcome="o",
        periods=("2012", "2013"),
        observed=(None, None),
        counterfactual=(None, None),
        start=(),
        gaps=(),
        unit="u",
    )
    assert "2 periods with a gap" in charts.trend_chart(charts.trend_rows(series), key="t", title="t")


# ---------------------------------------------------------------- effects


def test_effects_are_in_per_cent_for_ratios_and_units_for_others(result: Result) -> None:
    main = wording.main_findings(f for f in result.findings if f.group == "Residents First")
    rows = {row.outcome: row for row in forest.effect_rows(main)}
    assert rows["crime"].estimate == pytest.approx(-11.8)
    assert rows["crime"].unit == "%"
    assert rows["environment_score"].estimate == pytest.approx(3.94)
    assert rows["environment_score"].unit == "points"


def test_a_finding_that_cannot_be_estimated_keeps_its_line(result: Result) -> None:
    main = wording.main_findings(f for f in result.findings if f.group == "Council Partnership")
    text = forest.effects_chart(forest.effect_rows(main), interval="95% interval", key="e", title="t")
    assert "– not estimable" in text
    assert "nan" not in text


# ---------------------------------------------------------------- placebos


def test_the_histogram_counts_every_finite_draw() -> None:
    draws = PlaceboDraws("g", "o", "change", "ratio", (-0.1, 0.0, 0.2, math.nan, 0.05))
    rows = charts.placebo_rows(draws, 0.1)
    bins = charts.bins_of(rows)
    assert sum(row.draws for row in bins) == 4
    assert bins[0].low == pytest.approx(-10)
    assert bins[-1].high == pytest.approx(20)
    assert rows[-1].estimate == pytest.approx(10)
    assert charts.placebo_rows(draws, None) == bins


def test_no_draws_no_histogram() -> None:
    assert charts.placebo_rows(PlaceboDraws("g", "o", "change", "ratio", ()), 0.1) == []


def test_the_own_estimate_is_named_in_the_histogram(result: Result) -> None:
    assert ">This finding: −8.1%<" in all_charts(result)[3]


# ---------------------------------------------------------------- balance


def test_balance_is_the_mean_absolute_difference_worst_first(result: Result) -> None:
    rows = figures.balance_rows(result.balance, "level")
    assert [r.after for r in rows] == sorted((r.after for r in rows), reverse=True)
    for row in rows:
        own = [b for b in result.balance if b.claim == "level" and b.covariate == row.covariate]
        assert row.after == pytest.approx(fmean(abs(b.smd_after) for b in own))
        assert row.before == pytest.approx(fmean(abs(b.smd_before) for b in own))


def test_only_the_worst_covariates_are_drawn(result: Result) -> None:
    many = [replace(result.balance[0], covariate=f"c{i:03d}", smd_after=i / 100) for i in range(60)]
    rows = figures.drawn_rows(figures.balance_rows(many, many[0].claim))
    text = figures.balance_chart(rows, key="b", title="t", over=49, among=60)
    assert len(set(re.findall(r">(c\d+)<", text))) == figures.BALANCE_ROWS_DRAWN
    assert ">c059<" in text


# ---------------------------------------------------------------- map


def county(n_side: int, corners: int) -> tuple[tuple[Shape, ...], tuple[AreaStatus, ...]]:
    """Return a square of wiggly-edged cells that share their borders exactly."""
    steps = np.arange(corners) / corners

    def edge(x: float, y: float, dx: int, dy: int) -> np.ndarray:
        wiggle = 60 * np.sin(40 * (steps + x + 2 * y))
        return np.column_stack([1000 * (x + dx * steps) + dy * wiggle, 1000 * (y + dy * steps) + dx * wiggle])

    shapes, areas = [], []
    roles = ("treated", "benchmark", "left out", "not chosen")
    for i in range(n_side**2):
        y, x = divmod(i, n_side)
        back = [edge(x, y + 1, 1, 0)[::-1], edge(x, y, 0, 1)[::-1]]
        ring = np.concatenate([edge(x, y, 1, 0), edge(x + 1, y, 0, 1), *back])
        shapes.append(Shape(f"A{i:05d}", (ring,)))
        role = roles[i % 4]
        areas.append(
            AreaStatus(
                area=f"A{i:05d}", name="", role=role, reason="why" if role == "left out" else "", weight=i % 7
            )
        )
    return tuple(shapes), tuple(areas)


def test_a_map_of_five_thousand_areas_stays_small() -> None:
    shapes, areas = county(71, 15)
    text = maps.map_svg(shapes, areas, key="m", title="t")
    assert len(text.encode()) <= maps.MAX_BYTES
    assert sum(path.count("M") for path in re.findall(r' d="(M\d[^"]*z)"', text)) == 71**2


def test_a_map_has_one_path_a_class(result: Result) -> None:
    text = maps.map_svg(result.shapes, result.areas, key="m", title="t")
    assert text.count("fill-rule") == len([c for c in maps.classes(result.areas) if c.areas])


def test_an_area_too_small_to_draw_is_a_dot_not_nothing() -> None:
    big = np.array([[0, 0], [1e6, 0], [1e6, 1e6], [0, 1e6], [0, 0.0]])
    shapes = (Shape("big", (big,)), Shape("small", (5e5 + big / 1e6,)))
    areas = (
        AreaStatus(area="big", name="", role="not chosen"),
        AreaStatus(area="small", name="", role="treated", reason="", initiative="X"),
    )
    text = maps.map_svg(shapes, areas, key="m", title="t")
    assert f"h{maps.DOT}v{maps.DOT}h-{maps.DOT}z" in text


def test_north_is_up_and_distances_keep_their_proportion() -> None:
    ring = np.array([[0, 0], [4000, 0], [4000, 2000], [0, 2000], [0, 0.0]])
    areas = (AreaStatus(area="a", name="", role="treated", reason="", initiative="X"),)
    text = maps.map_svg((Shape("a", (ring,)),), areas, key="m", title="t")
    first = re.search(r' d="M(\d+) (\d+)l(-?\d+) ?(-?\d+) ?(-?\d+) ?(-?\d+)', text)
    assert first is not None
    _, y, dx, _, _, dy = map(int, first.groups())
    assert dx == pytest.approx(2 * -dy, abs=2)
    assert y > -dy


def test_the_key_counts_the_areas_of_each_class(result: Result) -> None:
    text = maps.map_svg(result.shapes, result.areas, key="m", title="t")
    for kind in maps.classes(result.areas):
        assert f"({len(kind.areas):,})" in text
    assert "km; north is up" in text


def test_left_out_areas_have_at_most_four_fills(result: Result) -> None:
    out = [c for c in maps.classes(result.areas) if c.text.startswith("left out")]
    assert len(out) == 4
    assert sum(len(c.areas) for c in out) == sum(a.role == "left out" for a in result.areas)


def test_a_long_attribution_is_wrapped_not_cut(result: Result) -> None:
    line = "Contains data " * 40
    text = maps.map_svg(result.shapes, result.areas, key="m", title="t", attribution=line)
    drawn = re.findall(r'font-size="26.4"[^>]*>([^<]*)<', text)
    assert " ".join(drawn) == line.strip()
    assert max(map(len, drawn)) <= maps.ATTRIBUTION_LETTERS


def test_no_outlines_no_map(result: Result) -> None:
    assert maps.map_svg((), result.areas, key="m", title="t") == ""


def test_the_map_table_counts_every_area_once(result: Result) -> None:
    assert sum(row.areas for row in maps.status_rows(result.areas)) == len(result.areas)


def test_the_last_label_of_an_axis_stays_inside_the_picture() -> None:
    frame = svg.Frame(8.0, 10.0, svg.WIDTH - 16, 50.0, x=(0.0, 1.25), y=(0.0, 1.0))
    drawn = svg.foot_axis(frame, [0.0, 1.25], ["0.00", "1.25"])
    places = [float(x) for x in re.findall(r'<text x="([\d.]+)"', drawn)]
    assert places[0] >= 12
    assert places[-1] <= svg.WIDTH - 12
