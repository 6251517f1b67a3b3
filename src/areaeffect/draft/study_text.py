"""A drafted study as the text of its file, each guess a comment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tomlkit

from areaeffect.draft.guess import Guess

_HEAD = """\
Written by areaeffect from a table and a list of areas, ready to edit.
Each line that begins with 'Guess' says what was taken for what: correct it where it is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a study is drafted from.

    Parameters
    ----------
    title, initiative : of the study, and the name of the initiative; the title where it has none.
    table, areas, boundaries, characteristics : files, as the study names them; no boundaries and
        no characteristics where they are None.
    boundaries_area, characteristics_area : their code columns.
    start : of the initiative.
    covariates : columns of the characteristics that benchmark areas are matched on.
    residents : column of the characteristics that counts are divided by; None: none.
    buffer_km : areas nearer than this to a treated one are left out; needs boundaries.
    placebos, seed : of the analysis.
    """

    title: str
    table: str
    areas: str
    start: str
    boundaries: str | None = None
    boundaries_area: str | None = None
    characteristics: str | None = None
    characteristics_area: str | None = None
    covariates: tuple[str, ...] = ()
    residents: str | None = None
    buffer_km: float = 1.0
    placebos: int = 999
    seed: int = 1
    initiative: str = ""


def study_text(draft: Draft, guess: Guess, said: Sequence[str]) -> str:
    """Return the study file of a draft, with each guess as a comment."""
    document = tomlkit.document()
    for line in _HEAD.splitlines():
        document.add(tomlkit.comment(line))
    for text in said:
        document.add(tomlkit.comment(f"Guess: {text}"))
    document.add(tomlkit.nl())
    window = tomlkit.inline_table()
    window.update({"start": guess.first, "end": guess.last})
    document["study"] = {
        "title": draft.title,
        "question": f"Did {labels_of(guess)} change more in these areas than in areas like them?",
        "window": window,
        "seed": draft.seed,
    }
    table: dict[str, object] = {"kind": "panel", "path": draft.table, "area": guess.area}
    if guess.period is None:
        table["layout"] = "wide"
    else:
        table["period"] = guess.period
    if guess.category is not None:
        table["category"] = guess.category
    if draft.boundaries is not None:
        table["boundaries"] = draft.boundaries
        table["boundaries_area"] = draft.boundaries_area or guess.area
    sources: dict[str, object] = {"table": table}
    if draft.characteristics is not None:
        sources["areas"] = {
            "kind": "panel",
            "path": draft.characteristics,
            "area": draft.characteristics_area or guess.area,
        }
    document["source"] = sources
    document["initiative"] = _array(
        [{"name": draft.initiative or draft.title, "areas": draft.areas, "start": draft.start}]
    )
    document["register"] = {"buffer_km": draft.buffer_km if draft.boundaries else 0.0}
    document["design"] = {"covariates": [f"areas.{c}" for c in draft.covariates]}
    document["outcome"] = _array([_study_text_outcome(draft, guess, k) for k in range(len(guess.outcomes))])
    document["analysis"] = {"placebos": draft.placebos}
    return tomlkit.dumps(document)


def _study_text_outcome(draft: Draft, guess: Guess, k: int) -> dict[str, object]:
    one = guess.outcomes[k]
    made: dict[str, object] = {
        "name": one.name, "label": one.label, "family": one.family, "source": "table", "value": one.column,
        "kind": one.kind, "claim": "change", "better": one.better,
    }  # fmt: skip
    if one.kind == "count":
        made["smallest_effect_of_interest"] = 0.05
        exposure = guess.exposure and f"table.{guess.exposure}"
        exposure = (draft.residents and f"areas.{draft.residents}") or exposure
        if exposure:
            made["exposure"] = exposure
    return made


def _array(items: list[dict[str, object]]) -> object:
    array = tomlkit.aot()
    for item in items:
        table = tomlkit.table()
        table.update(item)
        array.append(table)
    return array


def labels_of(guess: Guess) -> str:
    """Return what is measured, as a sentence lists it."""
    names = [o.label for o in guess.outcomes]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
