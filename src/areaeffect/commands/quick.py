"""`areaeffect quick`: from a table of counts and a list of areas to a report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.document.chart_tables import write_text
from areaeffect.document.folders import write_whole
from areaeffect.draft.guess import Characteristics, Guess, area_column, characteristics_of, every_guess, guess
from areaeffect.draft.study_text import Draft, labels_of, study_text
from areaeffect.errors import Faults, StudyError
from areaeffect.geography.shape_files import read_shape_file
from areaeffect.period_texts import kind_of
from areaeffect.register.rows import read_records
from areaeffect.tables.user_table import read_user_table
from areaeffect.wording import when
from areaeffect.wording.numbers import phrase

if TYPE_CHECKING:
    import pandas as pd

    from areaeffect.results import Result

#: Kinds of files that hold outlines or points, not a list of codes.
_DRAWN = {".geojson", ".json", ".gpkg", ".zip", ".kml", ".shp", ".topojson"}
STUDY = "study.toml"
LISTED = "Listed areas"  # the initiative, where nobody names it


def quick(
    table: Path,
    areas: Path,
    start: str,
    out: Path,
    *,
    boundaries: Path | None = None,
    characteristics: Path | None = None,
    title: str = "",
    buffer_km: float = 1.0,
    placebos: int = 999,
    threads: int | None = None,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None] | None = None,
) -> Result:
    """Guess what a table holds, write the study file that says so, and evaluate it.

    Parameters
    ----------
    table : counts by area and period, in any layout that the reader of tables takes.
    areas : the initiative's areas: a list of codes or names, or a drawing.
    start : of the initiative, as a month, quarter or year.
    out : results folder; the study file goes into a folder of the same name with '-study'.
    boundaries : outlines of the areas; without them there is no map and no buffer.
    characteristics : one row an area: residents, and what benchmark areas should be alike in.
    title : of the study and its initiative; default what is measured and since when.
    buffer_km : areas nearer than this to a treated one are left out.
    placebos, threads : of the evaluation.
    say : prints a line: every guess.
    progress : called with (step, done, of).

    Raises
    ------
    StudyError, DataError
        A table that can be read in two ways, and whatever `evaluate` refuses.
    """
    if kind_of(start) is None:
        raise StudyError(f"'{start}' is not a period.", "--start", "Write 2013-04, 2013-Q2 or 2013.")
    folder = out.with_name(f"{out.name}-study")
    frame, found, about = _guessed(table, areas, start, characteristics, say)
    draft = Draft(
        title=title or f"{_capital(_few_labels(found))} since {when(start)}",
        initiative=title or LISTED,
        table=_from(folder, table) or "",
        areas=_from(folder, areas) or "",
        start=start,
        boundaries=_from(folder, boundaries),
        boundaries_area=_code_column(boundaries, frame[found.area]) if boundaries else None,
        characteristics=_from(folder, characteristics),
        characteristics_area=about.area if about else None,
        covariates=about.covariates if about else (),
        residents=about.residents if about else None,
        buffer_km=buffer_km,
        placebos=placebos,
    )
    text = study_text(draft, found, every_guess(found, about))
    write_whole(folder, lambda aside: write_text(aside / STUDY, text))
    say(f"Study: {folder / STUDY} (edit it where a guess is wrong, then `areaeffect evaluate`)")
    return evaluate_into(folder / STUDY, out, threads, progress)


def _few_labels(found: Guess) -> str:
    """Return what is measured where that is one or two things, else how many they are."""
    n = len(found.outcomes)
    return labels_of(found) if n <= 2 else f"{n} outcomes"  # noqa: PLR2004


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _from(folder: Path, path: Path | None) -> str | None:
    """Write a path as a study file in a folder names it."""
    return None if path is None else os.path.relpath(path.absolute(), folder.absolute())


def _guessed(
    table: Path, areas: Path, start: str, characteristics: Path | None, say: Callable[[str], None]
) -> tuple[pd.DataFrame, Guess, Characteristics | None]:
    """Guess what the files hold, and say every guess; the faults of all of them come at once."""
    faults = Faults()
    listed: list[str] = []
    one_place: tuple[str, ...] = ()
    if areas.suffix.lower() not in _DRAWN:
        records = faults.attempt(read_records, areas)
        rows = records.records if records else []
        listed = [r.values.get("area_code", "") for r in rows]
        if len(rows) > 1 and not any(r.values.get("neighbourhood") for r in rows):
            one_place = (phrase("quick.one_place", n=len(rows)),)
    read = faults.attempt(read_user_table, table)
    described = faults.attempt(read_user_table, characteristics) if characteristics else None
    faults.raise_all()
    if read is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    found = guess(read.frame, [c for c in listed if c], start, table)
    found = replace(found, said=(*found.said, *one_place))
    about = None
    if described is not None and characteristics is not None:
        codes = read.frame[found.area].astype(str).unique().tolist()
        about = characteristics_of(described.frame, codes, characteristics)
    for line in every_guess(found, about):
        say(f"Guess: {line}")
    return read.frame, found, about


def _code_column(boundaries: Path, codes: pd.Series) -> str:
    """Return the column of a boundary file that holds the areas of the table."""
    shapes = read_shape_file(boundaries, "boundary file")
    texts = shapes.drop(columns=shapes.geometry.name)
    return area_column(texts, codes.astype(str).unique().tolist(), boundaries)
