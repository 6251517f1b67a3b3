"""One area: where it lies, its figures, and its history beside its authority and country."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from areaeffect.atlas.area_history import history_chart, history_rows
from areaeffect.document.csv_files import guard
from areaeffect.web.atlas import find_atlas
from areaeffect.web.refusals import Refusal
from areaeffect.web.render import page, settings_of
from areaeffect.web.selection import selected
from areaeffect.web.table import FIFTHS, fifth_of, printed
from areaeffect.web.view_state import View, parse, query

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.atlas import Atlas, Series
    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class History:
    """One outcome of the area, ready to print.

    Parameters
    ----------
    key, title, unit : of the outcome.
    answer : the latest figure beside the larger places, as a sentence.
    head, rows : the table, as text; the CSV holds the same numbers in full.
    chart : the drawing; '' where there is one period only.
    """

    key: str
    title: str
    unit: str
    answer: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chart: str


def routes(_settings: Settings) -> list[Route]:
    """Return the page of an area, its twin, and the files of its histories."""
    return [
        Route("/areas/{code}.json", _json),
        Route("/areas/{code}/{key}.csv", _csv),
        Route("/areas/{code}/{key}.svg", _svg),
        Route("/areas/{code}", _page),
    ]


def _at(request: Request) -> tuple[Atlas, str, View]:
    view = parse(View, request.query_params.multi_items())
    atlas = find_atlas(settings_of(request), view.base)
    code = request.path_params["code"]
    atlas.require([code])
    return atlas, code, view


def _page(request: Request) -> Response:
    atlas, code, view = _at(request)
    i = atlas.position[code]
    place = {k: str(atlas.table[k][i]) for k in ("name", "ward", "authority", "region", "force")}
    chosen = selected(settings_of(request), atlas, view)
    return page(
        request,
        "area.html.j2",
        title=place["name"],
        code=code,
        place=place,
        atlas=atlas,
        view=view,
        chosen=code in chosen.codes,
        state=query(view).lstrip("?"),
        histories=[_history(series, place["name"]) for series in atlas.series(code)],
        figures=_figures(atlas, i),
        attribution=atlas.manifest["attribution"],
    )


def _figures(atlas: Atlas, i: int) -> list[dict[str, str]]:
    """Return the latest value of every layer, and the fifth of all areas that it is in."""
    rows = []
    for layer in atlas.layers.values():
        value = float(atlas.values(layer, len(layer.periods) - 1)[i])
        fifth = fifth_of(layer, value)
        several = len(layer.breaks) == len(FIFTHS) - 1
        rows.append(
            {
                "title": layer.title,
                "period": layer.periods[-1],
                "value": printed(value),
                "unit": layer.unit,
                "fifth": FIFTHS[fifth] if fifth is not None and several else "",
            }
        )
    return rows


def _columns(series: Series) -> tuple[list[str], list[str], list[Any]]:
    """Return the columns, the labels and the values of the area and the larger places."""
    columns = ["area", *("authority", "country")[: len(series.beside)]]
    if len(series.beside) == 1:
        columns[1] = "country"
    labels = ["This area", *(name for name, _ in series.beside)]
    return columns, labels, [series.values, *(values for _, values in series.beside)]


def _history(series: Series, area: str) -> History:
    columns, labels, values = _columns(series)
    rows = history_rows(series.periods, columns, values)
    chart = ""
    if len(series.periods) > 1:
        title = f"{series.title}: {area} beside {' and '.join(labels[1:]) or 'itself'}"
        chart = history_chart(
            rows, labels, key=f"history-{series.key}", title=title, unit=series.unit
        )
    text = tuple(
        (str(row["period"]), *(printed(math.nan if row[c] is None else row[c]) for c in columns))
        for row in rows
    )
    return History(
        series.key,
        series.title,
        series.unit,
        _answer(series, labels, values),
        ("Period", *labels),
        text,
        chart,
    )


def _answer(series: Series, labels: list[str], values: list[Any]) -> str:
    """Say the latest year, or the one figure there is, beside the larger places."""
    months = 12 if series.unit.endswith("a month") else 1
    latest = [line[-months:] for line in values]
    own = [float(v.sum()) if months > 1 else float(v[-1]) for v in latest]
    unit = series.unit.removesuffix(" a month") + (" a year" if months > 1 else "")
    first, last = series.periods[-months], series.periods[-1]
    when = f"{first} to {last}" if months > 1 else last
    if math.isnan(own[0]):
        return f"Missing here in {when}. Nobody published a figure; it is not zero."
    beside = [f"{printed(v)} in {label}" for label, v in zip(labels[1:], own[1:], strict=True)]
    return f"{'; '.join([f'{printed(own[0])} {unit} in this area', *beside])} ({when})."


def _series(request: Request) -> tuple[Series, str, View]:
    atlas, code, view = _at(request)
    for series in atlas.series(code):
        if series.key == request.path_params["key"]:
            return series, code, view
    raise Refusal(404, "This area has no such history.", "Choose one on the page of the area.")


def _csv(request: Request) -> Response:
    series, code, _ = _series(request)
    columns, labels, values = _columns(series)
    rows = history_rows(series.periods, columns, values)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = list(rows[0])
    writer.writerow([*names, "unit", "area_code", *(f"{c}_name" for c in columns[1:])])
    for row in rows:
        cells = ["" if row[n] is None else row[n] for n in names[1:]]
        numbers = [f"{c:.12g}" if isinstance(c, float) else c for c in cells]
        writer.writerow(
            [row["period"], *numbers, guard(series.unit), code, *map(guard, labels[1:])]
        )
    name = f"{code}-{series.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(buffer.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _svg(request: Request) -> Response:
    series, code, _ = _series(request)
    chart = _history(series, code).chart
    if not chart:
        raise Refusal(404, "One figure makes no chart.", "The page of the area has its number.")
    return Response(chart, media_type="image/svg+xml")


def _json(request: Request) -> Response:
    atlas, code, view = _at(request)
    i = atlas.position[code]
    content: dict[str, Any] = {
        k: str(atlas.table[k][i]) for k in ("code", "name", "ward", "authority", "region", "force")
    }
    content["base"] = atlas.key
    content["page"] = f"/areas/{code}{query(view)}"
    content["figures"] = _figures(atlas, i)
    content["histories"] = []
    for series in atlas.series(code):
        columns, labels, values = _columns(series)
        rows = history_rows(series.periods, columns, values)
        named = dict(zip(columns, labels, strict=True))
        content["histories"].append(
            {"key": series.key, "title": series.title, "unit": series.unit, "places": named}
            | {"rows": rows}
        )
    return JSONResponse(content)
