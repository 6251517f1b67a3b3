"""The history of a place: its figures beside its council and country, in words, rows and a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from areaeffect.compare.question import written_period
from areaeffect.document import marks, svg
from areaeffect.errors import number_of
from areaeffect.periods import PeriodKind
from areaeffect.records import Row
from areaeffect.results import Floats, Ints
from areaeffect.web.atlas import Atlas, printed
from areaeffect.wording.numbers import PHRASES, number, phrase, plural

_PER = 1_000
_MONTHS, _LEAST_FOR_MEANS = 12, 24  # a shorter series of months is drawn as it is
_MEAN = "_mean_12"
#: The area, then the larger places: colour of the line, of its words, and dash.
_LOOKS = ((svg.BLUE, svg.BLUE, ""), (svg.ORANGE, "#A33A08", "9 4"), (svg.GREY, svg.GREY, "2 4"))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class History:
    """One outcome of a place over time, beside larger places."""

    #: key, title, unit, better: of the outcome; `unit` says per what.
    key: str
    title: str
    unit: str
    better: str
    counted: str  # what is counted; empty for a score.
    periods: tuple[str, ...]
    #: columns, head: of the place and then the larger ones, in data and in print
    columns: tuple[str, ...]
    head: tuple[str, ...]
    #: (n_places, n_periods), of the areas together: a count, a rate, or the mean of a score; NaN is missing,
    #: which it is where any of them has no figure.
    values: Floats
    totals: Floats  # (n_periods), the events that the place's own values are of
    missing: Ints  # (n_periods), how many of the areas have no figure

    @property
    def months(self) -> int:
        """How many of its periods are a year."""
        return _MONTHS if self.unit.endswith("a month") else 1

    @property
    def latest(self) -> Floats:
        """(n_places), the latest year, or the one figure there is."""
        return np.asarray(self.values[:, -self.months :].sum(axis=1))

    @property
    def total(self) -> str:
        """How many events the latest rate counts, in words; empty where it is no rate, or missing."""
        total = float(self.totals[-self.months :].sum())
        is_rate = bool(self.counted) and " per 1,000" in self.unit
        return f"{total:,.0f} {self.counted}" if is_rate and not math.isnan(total) else ""

    @property
    def rows(self) -> list[Row]:
        """One row a period, as `history_rows` makes them."""
        return history_rows(self.periods, self.columns, self.values.tolist())

    @property
    def printed(self) -> list[tuple[str, ...]]:
        """Its table as text."""
        return [(p, *map(printed, line)) for p, line in zip(self.periods, self.values.T, strict=True)]

    def chart(self, name: str) -> str:
        """Draw it, of a place of this name; empty where there is one period only."""
        title = f"{self.title}: {name} beside {' and '.join(self.head[1:]) or 'itself'}"
        key, several = f"history-{self.key}", len(self.periods) > 1
        return history_chart(self.rows, self.head, key=key, title=title, unit=self.unit) if several else ""


def histories_of(atlas: Atlas, codes: Sequence[str]) -> list[History]:
    """Return the history of every outcome of some areas together, beside their one council and country."""
    areas = np.array([atlas.position[code] for code in codes])
    around = atlas.manifest["places"]
    own = {str(a) for a in atlas.table["authority"][areas]}
    letters = {code[:1] for code in codes}
    country = {"E": "England", "W": "Wales"}.get(min(letters), "") if len(letters) == 1 else ""
    councils = [j for j, p in enumerate(around) if p["kind"] == "authority" and p["name"] in own]
    countries = [j for j, p in enumerate(around) if p["kind"] == "country"]
    beside = councils if len(councils) == 1 else []
    beside += [j for j in countries if around[j]["name"] == country] or countries[-1:]
    found = []
    for entry in atlas.manifest["histories"]:
        values, exposure = atlas.history(entry["key"])[areas], atlas.exposure(entry["key"])
        totals = values.sum(axis=0) if entry["counted"] else values.mean(axis=0)
        shown = totals
        if exposure is not None and entry["counted"]:
            shown = totals / np.where(exposure[areas] > 0, exposure[areas], np.nan).sum() * _PER
        larger = atlas.history(entry["key"], ".places")[beside]
        found.append(
            History(
                **{k: entry[k] for k in ("key", "title", "unit", "better", "counted")},
                periods=tuple(entry["periods"]),
                columns=("area", *(around[j]["kind"] for j in beside)),
                head=("This place", *(around[j]["name"] for j in beside)),
                values=np.vstack([shown, larger]),
                totals=np.asarray(totals),
                missing=np.isnan(values).sum(axis=0),
            )
        )
    return found


def said_of(history: History, atlas: Atlas, n_areas: int) -> list[str]:
    """Say a history in sentences: its latest figure, where that lies, its trend, and its gaps."""
    layer, among = atlas.layers.get(history.key), ""
    if layer is not None:
        values = atlas.values(layer, len(layer.periods) - 1)
        among = standing_of(values, float(history.latest[0]), history.better)
    said = (latest_of(history), among and f"That is {among}.", _trend(history), _gaps(history, n_areas))
    return [sentence for sentence in said if sentence]


def standing_of(values: Floats, own: float, better: str) -> str:
    """Say where a place's own figure lies among those of all areas; '' where it is missing or most are alike.

    An end is called better or worse only outside the middle three fifths.
    """
    known = values[~np.isnan(values)]
    least, low, high, most = np.quantile(known, (0.02, 0.2, 0.8, 0.98)) if len(known) else (0, 0, 0, 0)
    if np.isnan(own) or most <= least:
        return ""
    below, above = float((known < own).mean()), float((known > own).mean())
    side, share = ("higher", below) if below > above else ("lower", above)
    is_end = better and not low <= own <= high
    judged = f", which is {'better' if side == better else 'worse'}" if is_end else ""
    return phrase("look.among", side=side, percent=min(99, round(100 * share)), judged=judged)


def latest_of(history: History) -> str:
    """Say the latest year, or the one figure there is, beside the larger places."""
    months, (own, *larger) = history.months, history.latest
    unit = history.unit.removesuffix(" a month") + (" a year" if months > 1 else "")
    first, last = (written_period(history.periods[i]) for i in (-months, -1))
    when = f"from {first} to {last}" if months > 1 else f"in {last}"
    if math.isnan(own):
        return phrase("look.missing", when=when)
    beside = [f"{printed(v)} in {name}" for name, v in zip(history.head[1:], larger, strict=True)]
    said = "; ".join([f"{printed(own)} {unit} here", *beside])
    better = f" {history.better.capitalize()} is better." if history.better else ""
    return f"{history.total} {when}: {said}.{better}" if history.total else f"{said} ({when}).{better}"


def _trend(history: History) -> str:
    """Say how the latest year compares with the first whole one that has figures."""
    months, line = history.months, history.totals if history.counted else history.values[0]
    ends = range(len(line), months - 1, -months)
    years = [(end, float(line[end - months : end].sum())) for end in ends]
    known = [(end, v if history.counted else v / months) for end, v in years if not math.isnan(v)]
    if len(known) < 2 or known[0][0] != len(line):  # noqa: PLR2004  # a first and a last
        return ""
    (_, last), (end, first) = known[0], known[-1]
    begins, closes = (written_period(history.periods[i]) for i in (end - months, end - 1))
    when = f"{begins} to {closes}" if months > 1 else begins
    if first <= 0:
        return phrase("look.was", first=printed(first), when=when)
    change = 100 * (last / first - 1)
    moved = f"{abs(change):.0f}% {'more' if change > 0 else 'less'} than"
    moved = moved if round(change) else "about the same as"
    return phrase("look.moved", moved=moved, first=printed(first), when=when)


def _gaps(history: History, n_areas: int) -> str:
    """Say since when there are figures, and what is missing."""
    known = np.flatnonzero(history.missing < n_areas)
    if not len(known):
        return PHRASES["look.no_figure"]
    first, last = (written_period(history.periods[known[i]]) for i in (0, -1))
    span = phrase("look.span", first=first, last=last) if first != last else ""
    short, n, most = int((history.missing > 0).sum()), len(history.periods), int(history.missing.max())
    if not short:
        return f"{span} None is missing." if span else ""
    each, areas = "months" if history.months > 1 else "years", plural(n_areas, "area")
    if n_areas == 1:
        return f"{span} {short} of {n} {each} have none.".strip()
    if n == 1:
        return phrase("look.some_missing", who=number_of(most, "of its areas has", "of its areas have"))
    return phrase("look.gaps", span=span, short=short, n=n, each=each, most=most, areas=areas)


def history_rows(
    periods: Sequence[str], names: Sequence[str], series: Sequence[Sequence[float]]
) -> list[Row]:
    """Return one row a period: the value of each place, and where monthly its mean of twelve whole months.

    `series` is (n_places, n_periods), the area first; NaN is missing.
    """
    import pandas as pd

    table = pd.DataFrame(dict(zip(names, series, strict=True)), dtype=float)
    if svg.kind(periods) is PeriodKind.MONTH and len(periods) >= _LEAST_FOR_MEANS:
        table = table.join(table.rolling(_MONTHS).mean().add_suffix(_MEAN))
    table = table.astype(object).where(table.notna(), None)
    table.insert(0, "period", list(periods))
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def history_chart(rows: Sequence[Row], labels: Sequence[str], *, key: str, title: str, unit: str) -> str:
    """Draw a place (solid) beside larger ones (dashed, dotted); gaps of the place hatched.

    `rows` are those of `history_rows`: each place is drawn as its 12-month mean where there is one.
    """
    periods = [str(row["period"]) for row in rows]
    x, names = svg.positions(periods), [c for c in rows[0] if c != "period" and not c.endswith(_MEAN)]
    smooth = any(c.endswith(_MEAN) for c in rows[0])
    shown = [name + _MEAN if smooth else name for name in names]
    values = [v for row in rows for c in (names[0], *shown) if (v := row[c]) is not None]
    edges = min([0.0, *values]) * 1.05, (max([0.0, *values]) or 1.0) * 1.05
    top = 34 + 16 * len(labels)
    frame = svg.Frame(44, top, svg.WIDTH - 52, 220, x=svg.span(x), y=edges)
    half, raw = (x[1] - x[0]) / 2 if len(x) > 1 else 0.5, [row[names[0]] for row in rows]
    gaps = [svg.hatched(frame, at - half, at + half, key) for at, v in zip(x, raw, strict=True) if v is None]
    parts = [svg.hatch_pattern(key), svg.up_axis(frame), *gaps, svg.foot_axis(frame, *svg.ticks(x, periods))]
    if smooth:
        parts.append(marks.line(frame, x, raw, column=names[0], colour=svg.BLUE, width=0.8, opacity=0.5))
    parts.append(svg.text(6, 16, unit + (", and its 12-month mean" if smooth else "")))
    words = []
    for i, (column, label, (colour, fill, dash)) in enumerate(zip(shown, labels, _LOOKS, strict=False)):
        line, y = [row[column] for row in rows], 34 + 16 * i
        parts.append(marks.line(frame, x, line, column=column, colour=colour, dash=dash))
        parts += [marks.dots(frame, x, line, colour=colour)] if len(rows) <= _MONTHS else []
        parts.append(svg.rule(6, y - 4, 38, y - 4, colour, 2.5, dash))
        parts.append(svg.text(44, y, svg.cut(label, 40), fill=fill, bold=True))
        known = [
            f"{number(v, 'additive')} in {p}" for p, v in zip(periods, line, strict=True) if v is not None
        ]
        words.append(f"{label}: {', '.join((known[0], known[-1])) if known else 'missing'}")
    note = " The mean of twelve months is drawn." if smooth else ""
    if missing := raw.count(None):
        note += f" {missing} of {len(rows)} periods are missing, and hatched."
    box = f"0 0 {svg.WIDTH:g} {frame.bottom + 30:g}"
    return svg.accessible(frame.group(parts, (0, len(rows))), box, key, title, f"{'; '.join(words)}.{note}")
