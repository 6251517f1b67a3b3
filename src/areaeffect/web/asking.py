"""The question form: what an address or a form says, as a question; and back as an address."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from areaeffect.compare.question import BUFFERS, LONGEST_NAME, NEAREST, PLACEBOS, Question
from areaeffect.web.selection import selected
from areaeffect.web.view_state import View, choice, word

if TYPE_CHECKING:
    from areaeffect.web.atlas import Atlas
    from areaeffect.web.selection import Selection
    from areaeffect.web.settings import Settings


@dataclass(frozen=True, slots=True)
class CompareForm(View):
    """The state of the Compare form, all of it in the address.

    Parameters
    ----------
    name, start : of the neighbourhood.
    placebos, nearest, buffer : options, as written.
    """

    name: str = word(
        rf"[^\x00-\x1f\x7f]{{0,{LONGEST_NAME}}}", "", f"a name of up to {LONGEST_NAME} signs"
    )
    start: str = word(r"[0-9A-Za-z\-]{0,10}", "", "a period such as 2013-04")
    placebos: str = choice(*map(str, PLACEBOS))
    nearest: str = choice(*map(str, NEAREST))
    buffer: str = choice(*(f"{km:g}" for km in BUFFERS))


def question_of(asked: CompareForm, selection: Selection) -> Question:
    """Return the question of a form, not yet checked."""
    return Question(
        areas=selection.codes,
        start=asked.start,
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


def suggested_name(lines: list[Any]) -> str:
    """Return a name to begin with: the ward that most of the areas lie in, or the first area's."""
    places = [line["place"].split(",")[0] for line in lines if line["place"]]
    if not places:
        return str(lines[0]["name"])[:LONGEST_NAME] if lines else ""
    return str(max(sorted(set(places)), key=places.count))[:LONGEST_NAME]


def pairs_of(form: Any) -> list[tuple[str, str]]:
    """Return a form's fields as the pairs of an address; fields without a value are left out."""
    known = {f.name for f in fields(CompareForm)}
    return [(k, str(v)) for k, v in form.multi_items() if str(v) or k not in known]
