"""A survey's file to arrays: answers checked, respondents placed, everyone left out counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from areaeffect.errors import DataError, Problem, did_you_mean
from areaeffect.results import Bools, Floats, Ints, Strings
from areaeffect.study.analysis import Item, Survey
from areaeffect.study.parts import resolve
from areaeffect.tables.cells import compared_text, picked, plain_text, read_codes
from areaeffect.tables.user_table import UserTable, read_user_table, rows_account

_SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SurveyAnswers:
    """Respondents that count, in file order."""

    score: Floats  # (n,), from 0 to 100
    area: Ints  # (n,), positions in the panel
    weight: Floats  # (n,), survey weights; ones where none are given.
    cluster: Ints  # (n,), number of the sampling cluster
    wave: Ints  # (n,), 0 before and 1 after; all 1 without waves.
    alpha: float | None  # Cronbach's alpha of the items; None with one item.
    left_out: tuple[tuple[str, int], ...]  # reasons, with how many respondents each
    notes: tuple[str, ...] = ()  # how the file was read, and how many of its rows


def read_answers(survey: Survey, folder: Path, areas: Strings | None) -> SurveyAnswers:
    """Read a survey.

    Parameters
    ----------
    survey, folder : of the study.
    areas : (n_areas,), the panel's codes, ascending; None where they are not known, so that every
        respondent is taken to be placed.

    Raises
    ------
    DataError
        With every fault: columns that are missing, answers outside an item's scale, weights
        that are missing, zero or negative, blank clusters, each with its rows; a wave that no
        row has.
    """
    path, problems = resolve(survey.path, folder), list[Problem]()
    table = (whole := _table(survey, path)).frame
    codes, said = read_codes(table[survey.area])
    spelled = {} if areas is None else {compared_text(str(a)): str(a) for a in areas}
    code = codes.map({c: spelled.get(compared_text(c), c) for c in codes.unique()}).to_numpy(dtype=str)
    areas = np.unique(code) if areas is None else areas
    wave = _waves(table, survey, path, problems)
    answers = np.column_stack([_answers(table, item, survey, path, problems) for item in survey.items])
    weight, cluster = np.ones(len(table)), code
    if survey.weight is not None:
        weight, _ = _numbers(table, survey.weight, ())
        what, fix = "the weight '{}' is not above zero.", "Leave out respondents without one."
        problems += _cells(table, survey.weight, ~(weight > 0) | np.isinf(weight), path, what, fix)
    if survey.cluster is not None:
        cluster = _clusters(table, survey.cluster, path, problems)
    if problems:
        raise DataError(problems)
    reverse = [i.reverse for i in survey.items]
    ends = [i.lowest for i in survey.items], [i.highest for i in survey.items]
    score = scale_scores(answers, *ends, reverse, survey.least_items)
    position = np.minimum(np.searchsorted(areas, code), len(areas) - 1)
    placed = areas[position] == code
    reasons = (
        ("the area is not in the panel", ~placed),
        ("the wave is neither before nor after", placed & (wave < 0)),
        ("too few answers for the scale", placed & (wave >= 0) & np.isnan(score)),
    )
    kept = placed & (wave >= 0) & np.isfinite(score)
    if not kept.any():
        counts = "; ".join(f"{int(mask.sum())}: {why}" for why, mask in reasons)
        raise DataError(f"no respondent counts ({counts}).", str(path))
    left_out = tuple((why, int(mask.sum())) for why, mask in reasons if mask.any())
    account = rows_account(path.name, len(table) + len(whole.left_out), int(kept.sum()))
    why_not = [f"{path.name}: {n:,} respondents are left out: {why}." for why, n in left_out]
    return SurveyAnswers(
        score=score[kept],
        area=position[kept].astype(np.int64),
        weight=weight[kept],
        cluster=np.unique(cluster[kept], return_inverse=True)[1].ravel().astype(np.int64),
        wave=wave[kept],
        alpha=reliability(answers[kept], reverse),
        left_out=left_out,
        notes=(*whole.notes, *(f"{path.name}: {note}." for note in said), account, *why_not),
    )


def _table(survey: Survey, path: Path) -> UserTable:
    """Read the columns that a survey names."""
    named = [survey.area, survey.weight, survey.cluster, survey.wave]
    columns = list(dict.fromkeys(c for c in (*named, *(i.column for i in survey.items)) if c))
    whole = read_user_table(path, columns, columns)
    missing = [c for c in columns if c not in whole.frame.columns]
    if missing:
        raise DataError(
            [
                Problem(f"there is no column '{c}'.", str(path), did_you_mean(c, whole.frame.columns))
                for c in missing
            ]
        )
    return whole


def _clusters(table: pd.DataFrame, column: str, path: Path, problems: list[Problem]) -> Strings:
    """Return the cluster of each respondent."""
    text = table[column].map(plain_text).to_numpy(dtype=str)
    rows = table.index[text == ""]
    if len(rows):
        where = f"{path}, row {', '.join(map(str, rows[:_SHOWN]))}, column '{column}'"
        problems.append(Problem(f"{len(rows)} respondents have no cluster.", where, "Give every row one."))
    return text


def _numbers(table: pd.DataFrame, column: str, missing: tuple[str, ...]) -> tuple[Floats, Bools]:
    """Return a column as numbers, and a mask of texts that are neither numbers nor missing."""
    text = table[column].str.strip()
    marks = {"", *map(compared_text, missing)}
    is_missing = text.map({t: compared_text(t) in marks for t in text.unique()}).astype(bool)
    number = pd.to_numeric(text.where(~is_missing), errors="coerce")
    wrong = number.isna() & ~is_missing
    return number.to_numpy(dtype=np.float64), wrong.to_numpy(dtype=bool)


def _cells(table: pd.DataFrame, column: str, mask: Bools, path: Path, what: str, fix: str) -> list[Problem]:
    """Name the first cells of a mask, and count the rest."""
    rows = np.flatnonzero(mask)
    named = [
        Problem(
            what.format(table[column].iloc[row]), f"{path}, row {table.index[row]}, column '{column}'", fix
        )
        for row in rows[:_SHOWN]
    ]
    more = len(rows) - len(named)
    return [*named, *([Problem(f"… and {more} more in '{column}'.", "")] if more else [])]


def _answers(table: pd.DataFrame, item: Item, survey: Survey, path: Path, problems: list[Problem]) -> Floats:
    number, wrong = _numbers(table, item.column, survey.missing)
    outside = np.asarray((number < item.lowest) | (number > item.highest))
    scale = f"Allowed: {item.lowest:g} to {item.highest:g}; name other codes in `missing`."
    for mask, what in ((wrong, "is not a number"), (outside, "is outside its scale")):
        problems += _cells(table, item.column, mask, path, f"the answer '{{}}' {what}.", scale)
    return number


def _waves(table: pd.DataFrame, survey: Survey, path: Path, problems: list[Problem]) -> Ints:
    """Return 0 before, 1 after, -1 for any other wave; name a wave that no row has."""
    wave = np.full(len(table), -1 if survey.wave else 1, dtype=np.int64)
    for number, asked in enumerate((survey.before, survey.after)):
        if survey.wave is None or asked is None:
            continue
        try:
            wave[picked(table[survey.wave], [asked], survey.wave, str(path))] = number
        except DataError as error:
            problems += error.problems
    return wave


def scale_scores(
    answers: Floats,
    lowest: Sequence[float],
    highest: Sequence[float],
    reverse: Sequence[bool],
    least_items: int,
) -> Floats:
    """Return each respondent's score: the mean of the answered items, each from 0 to 100.

    Parameters
    ----------
    answers : (n_respondents, n_items); NaN is no answer.
    lowest, highest : (n_items,), ends of each item's scale.
    reverse : (n_items,), whether the lower end is the better one.
    least_items : answers that a respondent needs.

    Returns
    -------
    (n_respondents,); NaN where too few items were answered.
    """
    low, high = np.asarray(lowest, dtype=np.float64), np.asarray(highest, dtype=np.float64)
    share = (answers - low) / (high - low)
    share = np.where(np.asarray(reverse, dtype=bool), 1.0 - share, share)
    answered = np.isfinite(share)
    enough = answered.sum(axis=1) >= max(least_items, 1)
    total = np.where(answered, share, 0.0).sum(axis=1)
    mean = total / np.maximum(answered.sum(axis=1), 1)
    return np.asarray(np.where(enough, 100.0 * mean, np.nan))


def reliability(answers: Floats, reverse: Sequence[bool]) -> float | None:
    """Return Cronbach's alpha of the items over respondents who answered all of them.

    Cronbach (1951), doi 10.1007/BF02310555, equation 2. None for fewer than two items or
    respondents, or where nothing varies.
    """
    whole = answers[np.isfinite(answers).all(axis=1)]
    n_items = answers.shape[1]
    if n_items < 2 or len(whole) < 2:  # noqa: PLR2004  # of one there is no variance
        return None
    signed = np.where(np.asarray(reverse, dtype=bool), -whole, whole)
    total = float(signed.sum(axis=1).var(ddof=1))
    if total == 0:
        return None
    return float(n_items / (n_items - 1) * (1 - signed.var(axis=0, ddof=1).sum() / total))
