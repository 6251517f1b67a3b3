"""The question form: what an address or a form says, as a question; and back as an address."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from areaeffect.compare.question import BUFFERS, LONGEST_NAME, NEAREST, PLACEBOS, Question
from areaeffect.periods import label
from areaeffect.web.selection import keep, selected
from areaeffect.web.view_state import View, choice, query, word

if TYPE_CHECKING:
    from areaeffect.compare.preflight import Obstacle
    from areaeffect.web.atlas import Atlas
    from areaeffect.web.selection import Selection
    from areaeffect.web.settings import Settings


@dataclass(frozen=True, slots=True)
class CompareForm(View):
    """The state of the Compare form, all of it in the address."""

    #: name, start: of the neighbourhood
    name: str = word(rf"[^\x00-\x1f\x7f]{{0,{LONGEST_NAME}}}", "", f"a name of up to {LONGEST_NAME} signs")
    start: str = word(r"[^\x00-\x1f\x7f]{0,40}", "", "a date such as April 2013")
    #: placebos, nearest, buffer: options, as written
    placebos: str = choice(*map(str, PLACEBOS))
    nearest: str = choice(*map(str, NEAREST))
    buffer: str = choice(*(f"{km:g}" for km in BUFFERS))


def question_of(asked: CompareForm, selection: Selection, atlas: Atlas) -> Question:
    """Return the question of a form, not yet checked; a date is written as the study writes it."""
    flight = atlas.preflight
    start = label(flight.earliest, flight.kind) if flight.asks_levels else asked.start.strip()
    return Question(
        areas=selection.codes,
        start=flight.normal_start(start),
        name=asked.name.strip(),
        placebos=int(asked.placebos),
        nearest=int(asked.nearest),
        buffer_km=float(asked.buffer),
    )


def asked_of(question: Question, atlas: str, selection: Selection) -> CompareForm:
    """Return the form that asks a question."""
    return CompareForm(
        base=atlas,
        areas=selection.areas,
        set=selection.set,
        name=question.name,
        start=question.start,
        placebos=str(question.placebos),
        nearest=str(question.nearest),
        buffer=f"{question.buffer_km:g}",
    )


def listed(settings: Settings, atlas: Atlas, asked: CompareForm) -> tuple[Selection, list[Any]]:
    """Return the chosen areas, and a line for each: code, name, ward and authority."""
    selection = selected(settings, atlas, asked)
    table = atlas.table
    lines = []
    for code in selection.codes:
        i = atlas.position[code]
        around = [str(table[c][i]) for c in ("ward", "authority") if c in table]
        place = ", ".join(dict.fromkeys(a for a in around if a))
        lines.append({"code": code, "name": str(table["name"][i]), "place": place})
    return selection, lines


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field of the form, and links that ask what can be asked instead."""

    field: str  # of the form
    what: str  # in sentences
    repairs: tuple[tuple[str, str], ...] = ()  # the words of each link, and its address


def fault_of(settings: Settings, atlas: Atlas, obstacle: Obstacle) -> Fault:
    """Return an obstacle as the form shows it."""
    links = []
    for repair in obstacle.repairs:
        selection = keep(settings, repair.question.areas)
        form = asked_of(repair.question, atlas.key, selection)
        links.append((repair.words, f"/compare{query(form)}"))
    return Fault(obstacle.field, obstacle.what, tuple(links))


def pairs_of(form: Any) -> list[tuple[str, str]]:
    """Return a form's fields as the pairs of an address; fields without a value are left out."""
    known = {f.name for f in fields(CompareForm)}
    return [(k, str(v)) for k, v in form.multi_items() if str(v) or k not in known]
