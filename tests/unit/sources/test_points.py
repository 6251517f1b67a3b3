"""Dated incidents counted into areas: counts by hand, the account of every row, coverage."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from openpyxl import Workbook

from areaeffect.assembly.assemble import read_sources
from areaeffect.errors import AreaEffectError, DataError
from areaeffect.geography.boundaries import Boundaries
from areaeffect.geography.overlay import Locator, projected
from areaeffect.periods import PeriodKind, Periods
from areaeffect.sources.coverage import MeasureRequest, SourceTable
from areaeffect.sources.points.counting import NONE, DateTexts, count_points, without_time
from areaeffect.study.file import parse_study
from areaeffect.study.source_kinds import PointsSource
from tests.shared.spreadsheets import ods

#: Four squares of 1 km in metres of the National Grid: A and B side by side, C and D above.
WEST, SOUTH, SIDE = 430_000.0, 520_000.0, 1000.0
CODES = ["A", "B", "C", "D"]

STUDY = """
[study]
title = "Incidents"
window = {{ start = "{start}", end = "{end}" }}

[source.calls]
kind = "points"
path = {path}
date = "date"
boundaries = "areas.geojson"
{more}

[[initiative]]
name = "One"
areas = "members.csv"

[[outcome]]
name = "calls"
family = "other"
source = "calls"
{outcome}
"""


def box(code: str) -> list[list[float]]:
    i = CODES.index(code)
    west, south = WEST + SIDE * (i % 2), SOUTH + SIDE * (i // 2)
    east, north = west + SIDE, south + SIDE
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def write_areas(folder: Path, crs: str | None = "EPSG:27700") -> None:
    features = []
    for code in CODES:
        ring = box(code)
        if crs is None:
            ring = projected(np.array(ring), "EPSG:27700", "EPSG:4326").tolist()
        features.append(
            {
                "type": "Feature",
                "properties": {"area_code": code},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        )
    found: dict[str, object] = {"type": "FeatureCollection", "features": features}
    if crs is not None:
        name = f"urn:ogc:def:crs:{crs.replace(':', '::')}"
        found["crs"] = {"type": "name", "properties": {"name": name}}
    (folder / "areas.geojson").write_text(json.dumps(found), encoding="utf-8")


@cache
def at(code: str, right: float = 0.5, up: float = 0.5) -> tuple[float, float]:
    """Longitude and latitude of a place in a square."""
    west, south = box(code)[0]
    point = np.array([[west + right * SIDE, south + up * SIDE]])
    x, y = projected(point, "EPSG:27700", "EPSG:4326")[0]
    return float(x), float(y)


def incidents() -> list[tuple[str, float, float, str]]:
    """Date, longitude, latitude and category: two months, four areas."""
    return [
        ("2020-01-03", *at("A"), "theft"),
        ("2020-01-30", *at("A", 0.1), "noise"),
        ("2020-01-30", *at("B"), "theft"),
        ("2020-02-01", *at("D"), "noise"),
        ("2020-02-29", *at("D"), "noise"),
        ("2020-03-31", *at("C"), "theft"),
    ]


def write_csv(folder: Path, rows: list[tuple[object, ...]], name: str = "calls.csv") -> None:
    lines = ["date,longitude,latitude,category"]
    lines += [",".join(str(v) for v in row) for row in rows]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read(
    folder: Path,
    path: str = '"calls.csv"',
    more: str = 'category = "category"',
    outcome: str = "",
    start: str = "2020-01",
    end: str = "2020-03",
) -> SourceTable:
    if not (folder / "areas.geojson").exists():
        write_areas(folder)
    text = STUDY.format(start=start, end=end, path=path, more=more, outcome=outcome)
    return read_sources(parse_study(text, folder / "study.toml"), None)["calls"]


def counts(table: SourceTable) -> list[list[float]]:
    (values,) = table.measures.values()
    return np.where(np.isnan(values), -1, values).astype(int).tolist()


BY_HAND = [[2, 0, 0], [1, 0, 0], [0, 0, 1], [0, 2, 0]]


def test_counts_equal_a_count_by_hand(tmp_path: Path) -> None:
    write_csv(tmp_path, incidents())
    table = read(tmp_path)
    assert table.areas.tolist() == CODES
    assert counts(table) == BY_HAND
    assert table.release.rows_read == table.release.rows_kept == 6


def test_an_outcome_picks_categories_and_a_wrong_one_is_named_with_the_nearest(tmp_path: Path) -> None:
    write_csv(tmp_path, incidents())
    assert counts(read(tmp_path, outcome='category = ["Theft"]')) == [
        [1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"no row has 'thefts' in 'category'.*'theft'"):
        read(tmp_path, outcome='category = ["thefts"]')


def test_every_row_is_kept_or_rejected_with_its_line_and_its_reason(tmp_path: Path) -> None:
    x, y = at("A")
    rows: list[tuple[object, ...]] = [
        *incidents(),
        ("2020-01-05", "", "", "theft"),
        ("2020-01-05", 0, 0, "theft"),
        ("2020-01-05", "here", y, "theft"),
        ("", x, y, "theft"),
        ("soon", x, y, "theft"),
        ("2020-02-30", x, y, "theft"),
        ("05/04/2020", x, y, "theft"),
        ("2019-12-31", x, y, "theft"),
        ("2020-01-05", *at("D", 3.0), "theft"),
        ("2020-01-05", y, x, "theft"),
        ("2020-01-05", 900, y, "theft"),
        ("2020-01-05", x, y),
        ("25/01/2020", x, y, "theft"),
        ("01/25/2020", x, y, "theft"),
    ]
    write_csv(tmp_path, rows)
    table = read(tmp_path)
    reasons = [
        (row["line"], row["reason"]) for t in table.tables if t.name == "rejected_rows" for row in t.records()
    ]
    assert reasons == [
        (8, "no coordinates"),
        (9, "no coordinates"),
        (10, "the coordinates cannot be read"),
        (11, "no date"),
        (12, "the date cannot be read"),
        (13, "the date cannot be read"),
        (14, "ambiguous date"),
        (15, "outside the window"),
        (16, "outside all areas"),
        (17, "longitude and latitude are swapped"),
        (18, "the coordinates are no longitude and latitude"),
        (19, "the row has too few or too many fields"),
    ]
    release = table.release
    assert release.rows_read == len(rows)
    assert release.rows_kept + release.rows_rejected == release.rows_read
    assert release.rows_kept == 8
    assert "20 rows read, 8 counted, 12 not" in table.notes[0]


@pytest.mark.parametrize("rows", [3, 64])
def test_counts_do_not_depend_on_the_size_of_pieces_or_the_order_of_rows(tmp_path: Path, rows: int) -> None:
    rng = np.random.default_rng(3)
    given: list[tuple[object, ...]] = []
    for _ in range(200):
        day = date(2020, 1, 1) + timedelta(days=int(rng.integers(0, 140)))
        code = CODES[int(rng.integers(0, 4))]
        x, y = at(code, (-0.1, 0.2, 0.8)[int(rng.integers(0, 3))], (0.1, 0.9)[int(rng.integers(0, 2))])
        text = day.strftime(("%Y-%m-%d", "%d/%m/%Y")[int(rng.integers(0, 2))])
        given.append((text, x, y, ("a", "b")[int(rng.integers(0, 2))]))
    write_csv(tmp_path, given)
    write_csv(tmp_path, [given[i] for i in rng.permutation(len(given))], "shuffled.csv")
    write_areas(tmp_path)
    source = PointsSource(kind="points", path="calls.csv", date="date", category="category")
    outlines = np.array([shapely.Polygon(box(c)) for c in CODES])
    periods = Periods(PeriodKind.MONTH, 2020 * 12, 4)
    one, other, whole = (
        count_points([tmp_path / name], source, Boundaries(outlines), periods, n)
        for name, n in (("calls.csv", rows), ("shuffled.csv", rows), ("calls.csv", 10**6))
    )
    for found in (one, other):
        for category in ((), ("a",)):
            expected = whole.of(category, 4, periods, "")
            assert (found.of(category, 4, periods, "") == expected).all()
        assert found.account.rejected == whole.account.rejected
        assert found.account.by_month == whole.account.by_month
    assert one.account.listed() == whole.account.listed()
    assert sum(whole.account.kept.values()) > 50


def test_a_point_on_a_border_belongs_to_the_area_whose_code_comes_first() -> None:
    outlines = np.array([shapely.Polygon(box(c)) for c in CODES])
    middle = (WEST + SIDE, SOUTH + SIDE)  # where all four meet
    points = np.array([middle, (WEST + SIDE, SOUTH + 3), (WEST + SIDE, SOUTH + SIDE + 3),
                       (WEST - 0.5, SOUTH + 3), (WEST - 1.5, SOUTH + 3)])  # fmt: skip
    assert Locator(outlines, slack=1.0).areas(points).tolist() == [0, 0, 2, 0, -1]
    assert Locator(outlines).areas(points).tolist() == [0, 0, 2, -1, -1]


def spelled(kind: str) -> str:
    rows = [(f"{d[8:]}/{d[5:7]}/{d[:4]} 23:15", f"{x:.7f}", f"{y:.7f}", c) for d, x, y, c in incidents()]
    if kind == "semicolons and decimal commas":
        rows = [(d, x.replace(".", ","), y.replace(".", ","), c) for d, x, y, c in rows]
        return "\n".join(["date;longitude;latitude;category", *(";".join(r) for r in rows)])
    end = "\r\n" if kind == "CRLF" else "\n"
    above = ["Calls to the council", "", ""] if kind == "a title above" else []
    return end.join([*above, "Date,Longitude,Latitude,Category", *(",".join(r) for r in rows), ""])


@pytest.mark.parametrize("kind", ["CRLF", "semicolons and decimal commas", "a title above", "BOM"])
def test_text_files_are_read_as_people_have_them(tmp_path: Path, kind: str) -> None:
    encoding = "utf-8-sig" if kind == "BOM" else "utf-8"
    (tmp_path / "calls.csv").write_bytes(spelled(kind).encode(encoding))
    table = read(tmp_path)
    assert counts(table) == BY_HAND
    assert any("the day first" in note for note in table.notes)


def test_dates_of_a_workbook_are_dates(tmp_path: Path) -> None:
    rows = [(datetime.fromisoformat(f"{d}T09:15:00"), x, y, c) for d, x, y, c in incidents()]
    header = ("date", "longitude", "latitude", "category")
    (tmp_path / "calls.ods").write_bytes(ods({"Calls": [header, *rows]}))
    assert counts(read(tmp_path, '"calls.ods"')) == BY_HAND


@pytest.mark.parametrize("kind", ["GeoJSON", "GPKG"])
def test_files_of_shapes_hold_points_with_properties(tmp_path: Path, kind: str) -> None:
    import geopandas

    rows = incidents()
    points = geopandas.points_from_xy([r[1] for r in rows], [r[2] for r in rows], crs=4326)
    columns = {"date": [r[0] for r in rows], "category": [r[3] for r in rows]}
    frame = geopandas.GeoDataFrame(columns, geometry=points)
    if kind == "GPKG":
        frame = frame.to_crs(27700)
        frame["date"] = pd.to_datetime(frame["date"])
    name = f"calls.{kind.lower()}"
    frame.to_file(tmp_path / name, driver=kind)
    assert counts(read(tmp_path, f'"{name}"')) == BY_HAND


def test_metres_and_degrees_give_the_same_counts(tmp_path: Path) -> None:
    rows = incidents()
    moved = projected(np.array([[x, y] for _, x, y, _ in rows]), "EPSG:4326", "EPSG:27700")
    lines = ["date,easting,northing"]
    lines += [f"{r[0]},{x:.1f},{y:.1f}" for r, (x, y) in zip(rows, moved, strict=True)]
    (tmp_path / "calls.csv").write_text("\n".join(lines), encoding="utf-8")
    write_areas(tmp_path, None)
    assert counts(read(tmp_path, more="")) == BY_HAND


#: A city, the system that its points are published in, and how its dates are written there.
CITIES = {
    "Chicago, feet of Illinois": (-87.65, 41.88, "EPSG:3435", "%m/%d/%Y %I:%M:%S %p"),
    "Los Angeles, degrees": (-118.25, 34.05, "EPSG:4326", "%m/%d/%Y 12:00:00 AM"),
    "Belfast, Irish Grid": (-5.93, 54.6, "EPSG:29903", "%d/%m/%Y"),
    "Belfast, Irish Transverse Mercator": (-5.93, 54.6, "EPSG:2157", "%Y-%m-%d"),
    "Paris, Lambert-93": (2.35, 48.86, "EPSG:2154", "%Y-%m-%dT%H:%M:%S"),
    "New York, web Mercator": (-73.98, 40.75, "EPSG:3857", "%Y/%m/%d"),
}


@pytest.mark.parametrize("form", ["xlsx", "csv", "geojson"])
@pytest.mark.parametrize("city", CITIES)
def test_points_of_any_declared_system_are_counted(tmp_path: Path, city: str, form: str) -> None:
    """As cities publish them, in a workbook, as text, or as GeoJSON."""
    west, south, crs, dates = CITIES[city]
    corners = [(west + 0.01 * (i % 2), south + 0.01 * (i // 2)) for i in range(4)]
    squares = [shapely.box(x, y, x + 0.01, y + 0.01) for x, y in corners]
    areas = [
        {"type": "Feature", "properties": {"area_code": c}, "geometry": json.loads(shapely.to_geojson(box))}
        for c, box in zip(CODES, squares, strict=True)
    ]
    collection = {"type": "FeatureCollection", "features": areas}
    (tmp_path / "areas.geojson").write_text(json.dumps(collection), encoding="utf-8")
    expected, rows = np.zeros((4, 3), dtype=int), []
    for i, (day, _, _, what) in enumerate(incidents() * 3):
        centre = squares[i % 4].centroid
        expected[i % 4, int(day[5:7]) - 1] += 1
        x, y = projected(np.array([[centre.x + 1e-4 * i, centre.y]]), "EPSG:4326", crs)[0]
        rows.append((date.fromisoformat(day).strftime(dates), float(x), float(y), what))
    header = ("date", "x", "y", "category")
    more = f'coordinates = ["x", "y"]\ncrs = "{crs}"'
    if form == "geojson":
        shapes = [
            {"type": "Feature", "properties": {"date": d, "category": c},
             "geometry": {"type": "Point", "coordinates": [x, y]}}
            for d, x, y, c in rows
        ]  # fmt: skip
        found = {"type": "FeatureCollection", "features": shapes}
        (tmp_path / "calls.geojson").write_text(json.dumps(found), encoding="utf-8")
        more = f'crs = "{crs}"'
    elif form == "xlsx":
        book = Workbook()
        for row in (header, *rows):
            book.active.append(row)
        book.save(tmp_path / "calls.xlsx")
    else:
        lines = [",".join(map(str, row)) for row in (header, *rows)]
        (tmp_path / "calls.csv").write_text("\n".join(lines), encoding="utf-8")
    assert counts(read(tmp_path, f'"calls.{form}"', more)) == expected.tolist()


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ("swap", "", "longitude and latitude the wrong way round"),
        ("grid", "", "looks like British National Grid"),
        ("none", 'crs = "EPSG:27700"', "says its coordinates are metres, but they look like"),
        ("none", 'crs = "EPSG:0"', "'EPSG:0' is no reference system"),
        ("none", 'coordinates = ["lat", "latitude"]', "there is no column 'lat'"),
        ("abroad", "", "no incident lies in an area.*6 outside all areas"),
        ("early", "", "no incident lies in an area.*6 outside the window"),
        (
            "seconds",
            "",
            "6 the date cannot be read.*'1578009600' is not read as a date: write it as 2020-01-31",
        ),
    ],
)
def test_coordinates_that_are_not_what_they_say_are_refused_by_name(
    tmp_path: Path, change: str, more: str, message: str
) -> None:
    rows: list[tuple[object, ...]] = []
    for d, x, y, c in incidents():
        grid = projected(np.array([[x, y]]), "EPSG:4326", "EPSG:27700")[0].round(1).tolist()
        pair = {"swap": [y, x], "grid": grid, "abroad": [x + 30, y]}.get(change, [x, y])
        days = {"early": d.replace("2020", "2016"), "seconds": np.datetime64(d, "s").astype(int)}
        rows.append((days.get(change, d), *pair, c))
    write_csv(tmp_path, rows)
    with pytest.raises(AreaEffectError, match=f"(?s){message}"):
        read(tmp_path, more=more)


def test_a_file_whose_dates_may_be_read_in_two_ways_is_refused_with_both(tmp_path: Path) -> None:
    rows = [("03/02/2020", *r[1:]) for r in incidents()]
    write_csv(tmp_path, rows)
    with pytest.raises(DataError, match=r"2020-02 \(day first\) or 2020-03 \(month first\)"):
        read(tmp_path)
    assert counts(read(tmp_path, more='dates = "month first"'))[0] == [-1, -1, 2]


def daily(folder: Path, skip: tuple[date, date], first: date, last: date, each: int = 3) -> None:
    rows: list[tuple[object, ...]] = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        if not skip[0] <= day <= skip[1]:
            rows += [(day.isoformat(), *at("A"), "theft")] * each
    write_csv(folder, rows)


def test_absence_is_not_zero(tmp_path: Path) -> None:
    """A thin month inside, and months before, across and after the ends, are missing."""
    daily(tmp_path, (date(2020, 5, 3), date(2020, 5, 28)), date(2020, 2, 1), date(2020, 9, 12))
    table = read(tmp_path, start="2020-01", end="2020-10")
    empty = [r["month"] for r in table.tables[0].records() if r["status"] != "complete"]
    assert empty == ["2020-01", "2020-05", "2020-09", "2020-10"]
    assert [c < 0 for c in counts(table)[1]] == [True, *[False] * 3, True, *[False] * 3, True, True]
    assert counts(table)[1][1] == 0
    assert any("2020-05 (under half of the months before)" in n for n in table.notes)

    table = read(
        tmp_path,
        more='covers = { from = "2020-01", to = "2020-09" }\n'
        'real_falls = [{ from_period = "2020-05", to_period = "2020-05", why = "lockdown" }]',
        start="2020-01",
        end="2020-10",
    )
    assert [m for m, c in enumerate(counts(table)[0], 1) if c < 0] == [1, 9, 10]
    with pytest.raises(DataError, match=r"nothing looks like a gap.*What does: .*2020-05"):
        read(
            tmp_path,
            more='real_falls = [{ from_period = "2020-04", to_period = "2020-04", why = "x" }]',
            end="2020-10",
        )


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [("2020-Q1", "2020-Q3", [[91 * 3, -1, 92 * 3]]), ("2019", "2020", [[-1, -1]])],
)
def test_a_quarter_or_year_with_a_missing_month_is_missing(
    tmp_path: Path, start: str, end: str, expected: list[list[int]]
) -> None:
    daily(tmp_path, (date(2020, 5, 3), date(2020, 5, 28)), date(2020, 1, 1), date(2020, 12, 31))
    assert counts(read(tmp_path, start=start, end=end))[:1] == expected


def test_times_and_ways_to_write_a_date() -> None:
    for text in ("2020-01-08T23:59:00+01:00", "01/08/2020 12:00:00 AM", "8 Jan 2020 09:30", "2020-01-08 "):
        assert ":" not in without_time(text)
    texts = [
        "2020-01-08",
        "08 Jan 2020",
        "20200108",
        "January 8, 2020",
        "2020/01/08 00:00:00+00",
        "2020-01",
        "31/04/2020",
    ]
    dates = DateTexts(None)
    codes = dates.codes(texts, "")
    decided = dates.decide()
    assert decided.months[codes].tolist() == [2020 * 12] * 6 + [-1]
    assert (decided.days[codes][:5] == date(2020, 1, 8).toordinal()).all()
    assert decided.days[codes][5] == -1


def test_several_files_are_counted_together_and_one_named_twice_is_refused(tmp_path: Path) -> None:
    rows = incidents()
    write_csv(tmp_path, rows[:3], "a.csv")
    write_csv(tmp_path, rows[3:], "b.csv")
    table = read(tmp_path, '["a.csv", "b.csv"]')
    assert counts(table) == BY_HAND
    assert [r.rows_kept for r in (table.release, *table.more_releases)] == [3, 3]
    with pytest.raises(AreaEffectError, match="named twice"):
        read(tmp_path, '["a.csv", "a.csv"]')


def test_what_points_do_not_have_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path, incidents())
    with pytest.raises(AreaEffectError, match="points are counted"):
        read(tmp_path, outcome='value = "loss"')
    with pytest.raises(AreaEffectError, match="`category` is not set"):
        read(tmp_path, more="", outcome='category = ["theft"]')
    assert MeasureRequest("value") in read(tmp_path).measures


def test_a_time_keeps_its_date_whatever_its_time_zone(tmp_path: Path) -> None:
    x, y = at("A")
    dates = ["2020-01-31T23:30:00-06:00", "2020-02-01T00:30:00+01:00", "2020-02-29T23:30:00-05:00"]
    features = [
        {"type": "Feature", "properties": {"date": d}, "geometry": {"type": "Point", "coordinates": [x, y]}}
        for d in dates
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    (tmp_path / "calls.geojson").write_text(text, encoding="utf-8")
    assert counts(read(tmp_path, '"calls.geojson"', more=""))[0] == [1, 2, -1]


def test_the_boundaries_of_another_source_serve_as_well(tmp_path: Path) -> None:
    write_csv(tmp_path, incidents())
    write_areas(tmp_path)
    (tmp_path / "areas.csv").write_text("area_code,people\nA,10\nB,20\nC,30\nD,40\n", encoding="utf-8")
    text = STUDY.format(start="2020-01", end="2020-03", path='"calls.csv"', more="", outcome="")
    text = text.replace('boundaries = "areas.geojson"\n', "")
    own = '[source.areas]\nkind = "panel"\npath = "areas.csv"\narea = "area_code"\n'
    study = f'{text}\n{own}boundaries = "areas.geojson"\n'
    found = read_sources(parse_study(study, tmp_path / "study.toml"), None)
    assert counts(found["calls"]) == BY_HAND
    with pytest.raises(AreaEffectError, match="no source has `boundaries`"):
        read_sources(parse_study(f"{text}\n{own}", tmp_path / "study.toml"), None)


# ---------------------------------------------------------------- what cannot be meant


def scattered(n: int = 300, seed: int = 1) -> list[tuple[object, ...]]:
    """Incidents at random over the four areas and three months."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[object, ...]] = []
    for _ in range(n):
        place = at(str(rng.choice(CODES)), float(rng.uniform()), float(rng.uniform()))
        day = date(2020, 1, 1) + timedelta(days=int(rng.integers(91)))
        rows.append((day.isoformat(), *place, "theft"))
    return rows


def notes_of(folder: Path, rows: list[tuple[object, ...]]) -> str:
    write_csv(folder, rows)
    return " ".join(read(folder).notes)


def test_ordinary_incidents_are_not_called_odd(tmp_path: Path) -> None:
    said = notes_of(tmp_path, scattered())
    for odd in ("copies", "at one point", "rounded", "sign", "no usable coordinates"):
        assert odd not in said


def test_a_file_that_holds_every_incident_twice_says_so(tmp_path: Path) -> None:
    said = notes_of(tmp_path, scattered() * 2)
    assert "Every incident of 2020-01, 2020-02, 2020-03 is there several times" in said


def test_a_month_of_incidents_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    rows = scattered()
    write_csv(tmp_path, rows + [r for r in rows if str(r[0]).startswith("2020-02")])
    with pytest.raises(DataError, match="every incident of 2020-02 is there several times"):
        read(tmp_path)


def test_incidents_equal_to_another_are_counted_and_named(tmp_path: Path) -> None:
    rows = scattered(2000)
    said = notes_of(tmp_path, [*rows, *[rows[5]] * 12])
    assert "12 incidents have the date, category and coordinates of another" in said


def test_coordinates_of_the_wrong_sign_are_refused_or_named(tmp_path: Path) -> None:
    rows = scattered()
    turned = [(day, -float(str(x)), y, c) for day, x, y, c in rows]
    said = notes_of(tmp_path, [*rows[:200], *turned[200:]])
    assert "100 incidents would lie among the areas with another sign" in said
    write_csv(tmp_path, turned)
    with pytest.raises(DataError, match="the file has coordinates of the wrong sign"):
        read(tmp_path)


def test_many_incidents_at_one_point_are_named(tmp_path: Path) -> None:
    rows = scattered(1000)
    centre = [
        (day, *at("A"), c) if i % 3 == 0 else r for i, r in enumerate(rows) for day, c in [(r[0], r[3])]
    ]
    assert "334 of 1,000 incidents lie at one point" in notes_of(tmp_path, centre)


def test_coordinates_rounded_beyond_the_width_of_an_area_are_named(tmp_path: Path) -> None:
    rounded = [(d, round(float(str(x)), 2), round(float(str(y)), 2), c) for d, x, y, c in scattered()]
    assert "Coordinates are rounded to about 1,110 metres" in notes_of(tmp_path, rounded)


def test_a_share_without_coordinates_that_changes_is_named(tmp_path: Path) -> None:
    rows = [
        (day.replace("2020", "2021") if i % 2 else day, *(("", "") if i % 4 == 1 else (x, y)), c)
        for i, (day, x, y, c) in enumerate((str(r[0]), *r[1:]) for r in scattered(1000))
    ]
    write_csv(tmp_path, rows)
    said = " ".join(read(tmp_path, start="2020-01", end="2021-12").notes)
    assert "50% of incidents in 2021 have no usable coordinates, and 0% in 2020" in said


def test_road_collisions_as_they_are_published_are_dated_points(tmp_path: Path) -> None:
    """Collisions of the Department for Transport: days first, two reference systems, severity."""
    lines = [
        "collision_index,collision_year,location_easting_osgr,location_northing_osgr,longitude,"
        "latitude,police_force,collision_severity,number_of_casualties,date,time,"
        "lsoa_of_accident_location"
    ]
    for i, (code, day, severity) in enumerate(
        (("A", "03/01/2020", 3), ("A", "31/01/2020", 1), ("D", "29/02/2020", 2))
    ):
        lon, lat = at(code)
        ((east, north),) = projected(np.array([[lon, lat]]), "EPSG:4326", "EPSG:27700").round()
        lines.append(f"2020{i},2020,{east},{north},{lon:.6f},{lat:.6f},17,{severity},1,{day},9:00,E")
    lines.append("20209,2020,NULL,NULL,NULL,NULL,17,3,1,05/03/2020,9:00,-1")
    (tmp_path / "collisions.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = 'category = "collision_severity"\ndates = "day first"\n'
    said += 'covers = { from = "2020-01", to = "2020-03" }'
    table = read(tmp_path, '"collisions.csv"', said, 'category = ["1", "2"]')
    assert counts(table) == [[1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert counts(read(tmp_path, '"collisions.csv"', said))[0] == [2, 0, 0]
    assert (table.release.rows_read, table.release.rows_rejected) == (4, 1)


@pytest.mark.parametrize("text", ["A" * 100_000, "t" * 100_000 + ":x.", " 1" * 50_000 + ":", "9" * 100_000])
def test_a_text_longer_than_any_date_is_no_date_and_takes_no_time(text: str) -> None:
    dates = DateTexts(None)
    dates.codes([text, "2020-01-31"], "x")
    assert dates.readings()[0][:, 0].tolist() == [NONE, 2020 * 12]
