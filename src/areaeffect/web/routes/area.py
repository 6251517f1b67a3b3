"""A neighbourhood: its figures and their history beside its council and country.

One area has a page at `/areas/CODE`; several together have one at `/neighbourhood?areas=A,B`.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from areaeffect.compare.preflight import written_period
from areaeffect.document.chart_tables import guard
from areaeffect.document.page import pictures
from areaeffect.errors import number_of
from areaeffect.records import Json
from areaeffect.web.atlas import Atlas, Layer, Series, find_atlas, others_of
from areaeffect.web.limits import Refusal
from areaeffect.web.render import environment, page, settings_of
from areaeffect.web.search import name_of
from areaeffect.web.selection import View, parse, query, selected
from areaeffect.web.table import FIFTHS, Standing, fifth_of, history_chart, history_rows, printed, standing_of
from areaeffect.wording.numbers import PHRASES, phrase, plural

if TYPE_CHECKING:
    from starlette.requests import Request


TOGETHER = "/neighbourhood"
_PLACE = ("name", "ward", "authority", "region", "force")
#: Another site may show a chart in a frame, and nothing else.
_EMBEDDED = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePlace:
    """The area, or the areas together, that a page is about."""

    #: atlas, codes: which
    atlas: Atlas
    codes: tuple[str, ...]
    name: str  # of it in print
    path: str  # its address, without a query
    view: View  # the state of the page
    chosen: tuple[str, ...]  # codes that the visitor has chosen

    @property
    def own(self) -> str:
        """The query of its files: which areas, of which atlas."""
        changes: dict[str, Any] = {"layer": "", "period": ""}
        if self.path != TOGETHER:
            changes |= {"areas": (), "set": ""}
        return query(self.view, **changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One outcome of a place, ready to print."""

    #: key, title, unit: of the outcome
    key: str
    title: str
    unit: str
    answer: tuple[str, ...]  # sentences: the latest figure beside the larger places, its trend, and its gaps
    total: str  # what the latest figure is a rate of, in words; empty for a score.
    standing: Standing | None  # None where the figure is missing
    #: head, rows: the table, as text; the CSV holds the same numbers in full.
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    #: the drawing for a wide and for a narrow screen; empty where there is one period only.
    charts: tuple[str, ...]


def _place(request: Request) -> PagePlace:
    settings = settings_of(request)
    view = parse(View, request.query_params.multi_items())
    atlas = find_atlas(settings, view.base)
    chosen = selected(settings, atlas, view).codes
    codes, path = chosen, TOGETHER
    if code := request.path_params.get("code"):
        atlas.require([code])
        codes, path = (code,), f"/areas/{code}"
    elif not chosen:
        raise Refusal(404, "No area is chosen.", "Find a place and add its areas first.", "areas")
    name = str(atlas.table["name"][atlas.position[code]]) if code else name_of(atlas, codes)
    return PagePlace(atlas=atlas, codes=codes, name=name, path=path, view=view, chosen=chosen)


def _page(request: Request) -> Response:
    place = _place(request)
    atlas, areas = place.atlas, [place.atlas.position[code] for code in place.codes]
    settings = settings_of(request)
    base = settings.base_url or str(request.base_url).rstrip("/")
    about = {k: sorted({str(atlas.table[k][i]) for i in areas} - {""}) for k in _PLACE}
    return page(
        request,
        "area.html.j2",
        title=place.name,
        place=place,
        about=about,
        areas=[(c, str(atlas.table["name"][atlas.position[c]])) for c in place.codes],
        is_chosen=set(place.codes) <= set(place.chosen),
        state=query(place.view).lstrip("?"),
        histories=[_history(s, place) for s in atlas.series(place.codes)],
        figures=_figures(atlas, areas),
        embed=f"{base}{place.path}" if settings.token is None else "",
        others=others_of(settings, atlas, place.codes),
        attribution=atlas.manifest["attribution"],
    )


def _figures(atlas: Atlas, areas: list[int]) -> list[dict[str, str]]:
    """Return the layers of one date: the value of one area, or the middle and the range of some.

    Outcomes and their gaps have their own part of the page.
    """
    own = {entry["key"] for entry in atlas.manifest["histories"]}
    rows = []
    for layer in atlas.layers.values():
        values = atlas.values(layer, len(layer.periods) - 1)[areas]
        known = values[~np.isnan(values)]
        if layer.key in own or layer.key.startswith("coverage-"):
            continue
        value = printed(float(np.median(known))) if len(known) else printed(math.nan)
        if len(known) and len(areas) > 1:
            value += f" ({printed(float(known.min()))} to {printed(float(known.max()))})"
        rows.append(
            {
                "title": layer.title,
                "value": value,
                "unit": layer.unit,
                "fifth": _among(layer, float(values[0])) if len(areas) == 1 else "",
            }
        )
    return rows


def _among(layer: Layer, value: float) -> str:
    """Say which fifth of all areas a value is in, and whether that is good."""
    fifth = fifth_of(layer, value)
    if fifth is None or len(layer.breaks) != len(FIFTHS) - 1:
        return ""
    ends = {0: "lower", len(FIFTHS) - 1: "higher"}
    good = {True: " (better)", False: " (worse)"}
    judged = good[ends[fifth] == layer.better] if layer.better and fifth in ends else ""
    return FIFTHS[fifth] + judged


def _columns(series: Series) -> tuple[list[str], list[str], list[Any]]:
    """Return the columns, the labels and the values of the place and the larger ones."""
    columns = ["area", *("authority", "country")[: len(series.beside)]]
    if len(series.beside) == 1:
        columns[1] = "country"
    labels = ["This place", *(name for name, _ in series.beside)]
    return columns, labels, [series.values, *(values for _, values in series.beside)]


def _history(series: Series, place: PagePlace) -> History:
    columns, labels, values = _columns(series)
    rows = history_rows(series.periods, columns, values)
    charts: tuple[str, ...] = ()
    if len(series.periods) > 1:
        title = f"{series.title}: {place.name} beside {' and '.join(labels[1:]) or 'itself'}"
        charts = tuple(
            history_chart(
                rows,
                labels,
                key=f"{'narrow' if is_narrow else 'history'}-{series.key}",
                title=title,
                unit=series.unit,
                is_narrow=is_narrow,
            )
            for is_narrow in (False, True)
        )
    text = tuple(
        (str(row["period"]), *(printed(math.nan if row[c] is None else row[c]) for c in columns))
        for row in rows
    )
    standing = _standing(series, place.atlas, values)
    among = f"That is {standing.words}." if standing else ""
    said = (_latest(series, labels, values), among, _trend(series), _gaps(series, place))
    return History(
        key=series.key,
        title=series.title,
        unit=series.unit,
        answer=tuple(s for s in said if s),
        total=_total(series),
        standing=standing,
        head=("Period", *labels),
        rows=text,
        charts=charts,
    )


def _months(series: Series) -> int:
    return 12 if series.unit.endswith("a month") else 1


def _latest(series: Series, labels: list[str], values: list[Any]) -> str:
    """Say the latest year, or the one figure there is, beside the larger places."""
    months = _months(series)
    own = [float(line[-months:].sum()) for line in values]
    unit = series.unit.removesuffix(" a month") + (" a year" if months > 1 else "")
    first, last = (written_period(series.periods[i]) for i in (-months, -1))
    when = f"from {first} to {last}" if months > 1 else f"in {last}"
    if math.isnan(own[0]):
        return phrase("look.missing", when=when)
    total = _total(series)
    if total:
        total, when = f"{total} {when}: ", ""
    beside = [f"{printed(v)} in {label}" for label, v in zip(labels[1:], own[1:], strict=True)]
    said = "; ".join([f"{printed(own[0])} {unit} here", *beside])
    better = f" {series.better.capitalize()} is better." if series.better else ""
    return f"{total}{said}{f' ({when})' if when else ''}.{better}"


def _total(series: Series) -> str:
    """Say how many events the latest rate counts; empty where it is no rate, or missing."""
    total = float(series.totals[-_months(series) :].sum())
    is_rate = bool(series.counted) and " per 1,000" in series.unit
    return f"{total:,.0f} {series.counted}" if is_rate and not math.isnan(total) else ""


def _standing(series: Series, atlas: Atlas, values: list[Any]) -> Standing | None:
    """Return where the latest figure lies among all areas; None where it is missing."""
    layer, months = atlas.layers.get(series.key), _months(series)
    if layer is None:
        return None
    marks = [float(line[-months:].sum()) for line in values]
    return standing_of(atlas.values(layer, len(layer.periods) - 1), marks, series.better)


def _trend(series: Series) -> str:
    """Say how the latest year compares with the first whole one that has figures."""
    months, line = _months(series), series.totals if series.counted else series.values
    years = [line[end - months : end] for end in range(len(line), months - 1, -months)][::-1]
    whole = [(i, float(y.sum()) / (1 if series.counted else months)) for i, y in enumerate(years)]
    known = [(i, v) for i, v in whole if not math.isnan(v)]
    if len(known) < 2 or known[-1][0] != len(years) - 1:  # noqa: PLR2004  # a first and a last
        return ""
    (at, first), (_, last) = known[0], known[-1]
    end = len(line) - months * (len(years) - 1 - at)
    begins, ends = (written_period(series.periods[i]) for i in (end - months, end - 1))
    when = f"{begins} to {ends}" if months > 1 else begins
    if first <= 0:
        return phrase("look.was", first=printed(first), when=when)
    change = 100 * (last / first - 1)
    percent = round(abs(change))
    moved = f"{percent}% {'more' if change > 0 else 'less'} than" if percent else "about the same as"
    return phrase("look.moved", moved=moved, first=printed(first), when=when)


def _gaps(series: Series, place: PagePlace) -> str:
    """Say since when there are figures, and what is missing."""
    known = np.flatnonzero(series.missing < len(place.codes))
    if not len(known):
        return PHRASES["look.no_figure"]
    first, last = (written_period(series.periods[known[i]]) for i in (0, -1))
    span = phrase("look.span", first=first, last=last) if first != last else ""
    short = int((series.missing > 0).sum())
    if not short:
        return f"{span} None is missing." if span else ""
    each = "months" if _months(series) > 1 else "years"
    if len(place.codes) == 1:
        return f"{span} {short} of {len(series.periods)} {each} have none.".strip()
    most, n = int(series.missing.max()), len(series.periods)
    if n == 1:
        return phrase("look.some_missing", who=number_of(most, "of its areas has", "of its areas have"))
    areas = plural(len(place.codes), "area")
    return phrase("look.gaps", span=span, short=short, n=n, each=each, most=most, areas=areas)


def _series(request: Request) -> tuple[Series, PagePlace]:
    place = _place(request)
    for series in place.atlas.series(place.codes):
        if series.key == request.path_params["key"]:
            return series, place
    raise Refusal(404, "This place has no such history.", "Choose one on its page.")


def _csv(request: Request) -> Response:
    series, place = _series(request)
    columns, labels, values = _columns(series)
    rows = history_rows(series.periods, columns, values)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = list(rows[0])
    writer.writerow([*names, "unit", "area_code", *(f"{c}_name" for c in columns[1:])])
    codes = " ".join(place.codes)
    for row in rows:
        cells = ["" if row[n] is None else row[n] for n in names[1:]]
        numbers = [f"{c:.12g}" if isinstance(c, float) else c for c in cells]
        writer.writerow([row["period"], *numbers, guard(series.unit), codes, *map(guard, labels[1:])])
    name = f"{place.codes[0] if len(place.codes) == 1 else 'neighbourhood'}-{series.key}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(buffer.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _drawn(series: Series, place: PagePlace) -> History:
    history = _history(series, place)
    if not history.charts:
        raise Refusal(404, "One figure makes no chart.", "The page of the place has its number.")
    return history


def _picture(request: Request) -> Response:
    """Return the wide chart as SVG or PNG; another site may show it."""
    chart = _drawn(*_series(request)).charts[0]
    headers = {"cross-origin-resource-policy": "cross-origin"}
    if request.url.path.endswith(".png"):
        return Response(pictures([chart])[0], media_type="image/png", headers=headers)
    return Response(chart, media_type="image/svg+xml", headers=headers)


def _embed(request: Request) -> Response:
    """Return one chart with its words, for a frame on another site."""
    series, place = _series(request)
    settings = settings_of(request)
    base = settings.base_url or str(request.base_url).rstrip("/")
    text = (
        environment()
        .get_template("embed.html.j2")
        .render(
            place=place,
            history=_drawn(series, place),
            address=f"{base}{place.path}{query(place.view, layer='', period='')}",
            attribution=place.atlas.manifest["attribution"],
        )
    )
    policy = f"{_EMBEDDED}; frame-ancestors *"
    return HTMLResponse(text, headers={"content-security-policy": policy})


def _json(request: Request) -> Response:
    place = _place(request)
    atlas, areas = place.atlas, [place.atlas.position[code] for code in place.codes]
    content: Json = {
        "name": place.name,
        "base": atlas.key,
        "page": f"{place.path}{query(place.view)}",
        "areas": [
            {k: str(atlas.table[k][i]) for k in ("code", *_PLACE)} for i in areas
        ],
        "figures": _figures(atlas, areas),
        "histories": [],
    }  # fmt: skip
    for series in atlas.series(place.codes):
        columns, labels, values = _columns(series)
        rows = history_rows(series.periods, columns, values)
        named = dict(zip(columns, labels, strict=True))
        content["histories"].append(
            {"key": series.key, "title": series.title, "unit": series.unit, "places": named} | {"rows": rows}
        )
    return JSONResponse(content)


ROUTES = [
    route
    for path in ("/areas/{code}", TOGETHER)
    for route in (
        Route(f"{path}.json", _json),
        Route(f"{path}/{{key}}.csv", _csv),
        Route(f"{path}/{{key}}.svg", _picture),
        Route(f"{path}/{{key}}.png", _picture),
        Route(f"{path}/{{key}}/embed", _embed),
        Route(path, _page),
    )
]
