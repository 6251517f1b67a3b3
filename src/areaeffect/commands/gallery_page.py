"""The gallery of known answers in print: what the command says, and docs/validation/gallery.md."""

from __future__ import annotations

from collections.abc import Sequence

from areaeffect.commands.gallery import CERTAIN_P, WIDEST, AnswerRow, Kind, KnownAnswer
from areaeffect.results import LEVEL
from areaeffect.study.parts import SHARED_DATA_VARIABLE

_HEAD = (
    "| programme | published | ours, with 95% interval | published inside ours? | ours inside "
    "the published interval? | half-width, ours to theirs | why not |"
)
#: From this size on a number is printed without decimals.
_NO_DECIMALS = 100
_PARTS = {
    Kind.PUBLISHED: "Published effects",
    Kind.OTHER_OUTCOME: "Published, of another outcome",
    Kind.CROSS_CHECK: "Published, by one of our cross-checks",
    Kind.MADE_UP: "Made-up data, of known truth",
}
_INTRO = f"""# Known answers

<!-- Written by `areaeffect gallery --out docs/validation`. -->

Programmes whose answer is known, each run again from its study file by one command:
`areaeffect gallery --only NAME`. Study files are in `src/areaeffect/examples/gallery`,
`src/areaeffect/examples/london` and `studies`. Of a published effect two questions are asked: does
our interval hold theirs, and is it hardly wider (at most {WIDEST:g} times, both brought to 95%)?
Where not, the cause is given. A dash is a number that was not published."""


def figures(rows: Sequence[AnswerRow]) -> str:
    """Return how many answers were found again, in a sentence for each kind."""
    run = [row for row in rows if not row.missing]
    published = [row for row in run if row.known.kind == Kind.PUBLISHED]
    nulls = [row for row in run if row.known.kind == Kind.NULL]
    held = sum(bool(row.holds) for row in published)
    again = sum(row.is_found_again for row in published)
    lines = [
        f"{len(run)} of {len(rows)} known answers were run.",
        f"{len(published)} are published effects: {held} lie inside our interval, {again} of them "
        f"in one at most {WIDEST:g} times as wide as the published one.",
        f"Of {len(nulls)} programmes that did nothing, the interval of "
        f"{sum(bool(row.holds) for row in nulls)} holds zero.",
    ]
    lines += [_certain(row) for row in run if row.known.kind == Kind.CERTAIN]
    return "\n".join(lines)


def _certain(row: AnswerRow) -> str:
    found = row.p_value is not None and row.p_value < CERTAIN_P
    gap, low, high = (_number(value, row.known) for value in row.before)
    return (
        f"{row.known.title}: {'found' if found else 'NOT found'}, and it must be: "
        f"{_ours(row)}, p {row.p_value:.3f}. In the year before the start, by a design that did "
        f"not see it, the gap was {gap} ({low} to {high}, 90%)."
        if row.p_value is not None
        else f"{row.known.title}: NOT found, and it must be: {row.verdict}."
    )


def text(rows: Sequence[AnswerRow]) -> str:
    """Return what the command prints."""
    lines = [
        f"{row.known.name}: "
        + (f"not run, {row.missing}" if row.missing else f"{_theirs(row)}; ours {_ours(row)}")
        for row in rows
    ]
    if any(row.missing for row in rows):
        lines += [
            "",
            f"Files are looked for in the folder that {SHARED_DATA_VARIABLE} names, under the "
            "names above. They belong to others and do not come with the program.",
        ]
    return "\n".join([*lines, "", figures(rows)])


def page(rows: Sequence[AnswerRow]) -> str:
    """Return docs/validation/gallery.md."""
    lines = [_INTRO, "", *(f"- {line}" for line in figures(rows).splitlines())]
    for kind, title in _PARTS.items():
        chosen = [row for row in rows if row.known.kind == kind and not row.missing]
        if chosen:
            lines += ["", f"## {title}", "", _HEAD, "|" + "---|" * 7, *map(_line, chosen)]
    others = [r for r in rows if r.known.kind in (Kind.CERTAIN, Kind.NULL) and not r.missing]
    if others:
        lines += ["", "## An effect that must be found, and programmes that did nothing", ""]
        lines += [
            "| programme | known | ours, with 95% interval | as known? | verdict | why not |",
            "|" + "---|" * 6,
            *map(_other, others),
        ]
    lines += ["", "## What each shares with our design", ""]
    lines += ["| programme | published by | shared | not shared | data |", "|---|---|---|---|---|"]
    lines += [
        f"| `{k.name}` | {k.source} | {k.shares} | {k.differs} | {k.data} |"
        for k in (row.known for row in rows)
        if k.source
    ]
    if lacking := [row for row in rows if row.missing]:
        lines += ["", "## Not run", "", *(f"- `{r.known.name}`: {r.missing}" for r in lacking)]
    return "\n".join(lines) + "\n"


def _line(row: AnswerRow) -> str:
    known = row.known
    named = f"`{known.name}`<br>{known.title}"
    answers = [_yes(row.holds), _yes(row.is_held), "–" if row.width is None else f"{row.width:.2f}"]
    why = known.why or ("" if known.interval else "no interval is published to hold it against")
    cells = [named, _theirs(row), _ours(row), *answers, "" if row.is_found_again else why]
    return f"| {' | '.join(cells)} |"


def _other(row: AnswerRow) -> str:
    known = row.known
    if known.kind == Kind.CERTAIN:
        good, what = row.p_value is not None and row.p_value < CERTAIN_P, "p under 0.01"
    else:
        good, what = bool(row.holds), "zero"
    shown = f"{_ours(row)}, p {row.p_value:.3f}" if row.p_value is not None else _ours(row)
    cells = [f"`{known.name}`<br>{known.title}", what, shown, _yes(good), row.verdict]
    return f"| {' | '.join([*cells, '' if good else known.why])} |"


def _theirs(row: AnswerRow) -> str:
    known = row.known
    if known.published is None:
        return "zero" if known.kind == Kind.NULL else "no one figure"
    shown = _number(known.published, known)
    if known.interval is None:
        return shown
    low, high = (_number(end, known) for end in known.interval)
    return f"{shown} ({low} to {high}{'' if known.level == LEVEL else f', {known.level:.0%}'})"


def _ours(row: AnswerRow) -> str:
    shown = _number(row.estimate, row.known)
    if row.low is None or row.high is None:
        return f"{shown}, no interval" if row.estimate is not None else row.verdict
    return f"{shown} ({_number(row.low, row.known)} to {_number(row.high, row.known)})"


def _number(value: float | None, known: KnownAnswer) -> str:
    if value is None:
        return "–"
    if known.is_share:
        shown = f"{100 * value:+.1f}%"
    else:
        shown = f"{value:+,.0f}" if abs(value) >= _NO_DECIMALS else f"{value:+.3g}"
    return shown.replace("-", "\u2212")


def _yes(value: bool | None) -> str:
    return "–" if value is None else ("yes" if value else "**no**")
