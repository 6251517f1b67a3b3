"""Small-area estimates of a survey for treated and benchmark areas, from its census cells."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from areaeffect.errors import DataError, Problem
from areaeffect.results import Column, DataTable
from areaeffect.study.model import resolve
from areaeffect.survey.small_area import LEVEL, estimate_apart, grouped
from areaeffect.tables.cells import read_numbers
from areaeffect.tables.user_table import read_user_table

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.findings.finished import Finished
    from areaeffect.panel import Strings
    from areaeffect.results import Floats, Ints
    from areaeffect.study.survey import CensusCells, Survey
    from areaeffect.survey.answers import Answers

#: A direct mean of fewer people is not printed.
_LEAST_DIRECT = 10
_LEAST_IN_ALL = 100

COLUMNS = (
    Column("area", "string", "Area code"),
    Column("name", "string", "Area name"),
    Column("role", "string", "Part the area plays in the study"),
    Column("respondents", "string", "People asked; [c] stands for 1 to 7"),
    Column("direct", "number", "Their mean; empty under 10 people"),
    Column("estimate", "number", "Posterior mean, weighted up to the census"),
    Column("low", "number", "Lower end of the 90% posterior interval"),
    Column("high", "number", "Upper end of the 90% posterior interval"),
)


@dataclass(frozen=True, slots=True)
class SmallAreas:
    """What was estimated: values for print, and the table; none where it could not be."""

    values: dict[str, Any]
    table: DataTable | None


def small_areas(finished: Finished, name: str, survey: Survey, answers: Answers) -> SmallAreas:
    """Estimate each treated and benchmark area's mean in the later wave."""
    if survey.census is None:
        return SmallAreas({"reason": "the study names no census cells"}, None)
    if find_spec("numpyro") is None:
        return SmallAreas({"reason": "install areaeffect[survey] for them"}, None)
    status = {a.area: a for a in finished.result.areas if a.role in ("treated", "benchmark")}
    codes = finished.data.panel.areas
    wanted = np.flatnonzero([str(code) in status for code in codes])
    after = answers.wave == 1
    number = np.full(len(codes), -1)
    number[wanted] = np.arange(len(wanted))
    inside = after & (number[answers.area] >= 0)
    if inside.sum() < _LEAST_IN_ALL:
        return SmallAreas({"reason": f"fewer than {_LEAST_IN_ALL} respondents in all"}, None)
    people, levels, keys = read_cells(survey.census, finished.file.folder, codes[wanted])
    cell, known = _cell_of(answers.cells[inside], keys)
    area, score = number[answers.area[inside]][known], answers.score[inside][known]
    data = grouped(score, area, cell[known], _standardised(finished, wanted), people, levels)
    (found,) = estimate_apart([data], finished.file.study.study.seed)
    asked = np.bincount(area, minlength=len(wanted))
    direct = np.bincount(area, score, len(wanted)) / np.maximum(asked, 1)
    rows = tuple(
        (
            str(codes[i]),
            status[str(codes[i])].name,
            status[str(codes[i])].role,
            "[c]" if 0 < asked[k] < 8 else str(int(asked[k])),  # noqa: PLR2004  # [c]: 1 to 7
            float(direct[k]) if asked[k] >= _LEAST_DIRECT else None,
            float(found.mean[k]),
            float(found.low[k]),
            float(found.high[k]),
        )
        for k, i in enumerate(wanted)
    )
    values = {
        "reason": "",
        "areas": len(wanted),
        "respondents": int(known.sum()),
        "not_in_a_cell": int((~known).sum()),
        "level": LEVEL,
        "worst_rhat": found.worst_rhat,
        "divergences": found.divergences,
        "predictive_p": found.predictive_p,
        "converged": found.converged,
        "covariates": list(finished.data.panel.covariate_names),
        "cells": list(survey.census.cells),
    }
    table_name = f"survey_areas_{name}"
    return SmallAreas(values, DataTable(table_name, f"Small areas: {name}", COLUMNS, rows))


def read_cells(
    census: CensusCells, folder: Path, areas: Strings
) -> tuple[Floats, Ints, dict[tuple[str, ...], int]]:
    """Read the people of each area and cell.

    Returns
    -------
    people, levels, keys
        (n_areas, n_cells); (n_cells, n_factors); the cell of each combination of values.

    Raises
    ------
    DataError
        Columns that are missing, counts below zero or no numbers, areas without people.
    """
    path = resolve(census.path, folder)
    columns = [census.area, census.count, *census.cells]
    table = read_user_table(path, columns, [census.area, *census.cells]).frame
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise DataError([Problem(f"there is no column '{c}'.", str(path)) for c in missing])
    count = read_numbers(table[census.count]).values
    wrong = np.flatnonzero(~(count >= 0))
    if len(wrong):
        value, row = table[census.count].iloc[wrong[0]], table.index[wrong[0]]
        raise DataError(Problem(f"'{value}' is not a number of people.", f"{path}, row {row}"))
    here = table[census.area].isin(set(areas.tolist())).to_numpy()
    table, count = table[here], count[here]
    combos, cell = np.unique(
        table[list(census.cells)].to_numpy(dtype=str), axis=0, return_inverse=True
    )
    people = np.zeros((len(areas), len(combos)))
    np.add.at(people, (np.searchsorted(areas, table[census.area].to_numpy(str)), cell), count)
    empty = np.flatnonzero(people.sum(axis=1) == 0)
    if len(empty):
        raise DataError(
            Problem(
                f"{len(empty)} treated or benchmark areas have no people, '{areas[empty[0]]}' "
                "first.",
                str(path),
                "The census cells must cover every area of the study.",
            )
        )
    levels = np.column_stack([np.unique(c, return_inverse=True)[1] for c in combos.T])
    keys = {tuple(map(str, combo)): i for i, combo in enumerate(combos)}
    return people, levels.astype(np.int64), keys


def _cell_of(values: Strings, keys: dict[tuple[str, ...], int]) -> tuple[Ints, Any]:
    cell = np.array([keys.get(tuple(map(str, row)), -1) for row in values], dtype=np.int64)
    return cell, cell >= 0


def _standardised(finished: Finished, wanted: Ints) -> Floats:
    """Return the design's covariates of the wanted areas, less those that do not vary."""
    values = finished.data.panel.covariates[wanted]
    spread = values.std(axis=0)
    varies = spread > 0
    return np.asarray((values[:, varies] - values[:, varies].mean(axis=0)) / spread[varies])
