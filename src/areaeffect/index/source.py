"""A composite index as a source of a study: level claims and covariates, with circularity said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from areaeffect.errors import Problem, StudyError, did_you_mean
from areaeffect.index import composite as numerics
from areaeffect.index.composite import scores
from areaeffect.index.table import read_indicators
from areaeffect.period_texts import kind_of, parse_period
from areaeffect.periods import PeriodKind, Periods
from areaeffect.results import Floats
from areaeffect.sources.base import MeasureRequest, SourceKind, SourceRequest, SourceTable
from areaeffect.sources.publishers.releases import find_release
from areaeffect.study.file import StudyFile
from areaeffect.study.index import Index, IndexFile, read_index
from areaeffect.study.model import IndexSource, Outcome, split_reference
from areaeffect.study.parts import resolve
from areaeffect.wording.numbers import plural

_SCORES = ("score", "rank", "decile")


def read_index_source(
    name: str,
    source: IndexSource,
    file: StudyFile,
    wanted: tuple[MeasureRequest, ...],
    attributes: tuple[str, ...],
) -> SourceTable:
    """Build an index and give it the shape of a source.

    Raises
    ------
    StudyError, DataError
        A fault of the index; a change claim on it; an outcome that is not its score; a column that
        it does not have; an outcome of an index without a date.
    """
    index_file = read_index(resolve(source.path, file.folder))
    index = index_file.index
    own = [(i, o) for i, o in enumerate(file.study.outcome) if o.source == name]
    columns = (*_SCORES, *(i.name for i in index.indicator))
    problems = _outcome_problems(file, own, index_file)
    problems += [
        Problem(
            f"the index has no column '{a}'.",
            file.where(f"source.{name}"),
            did_you_mean(a, columns) or f"Columns: {', '.join(columns)}.",
        )
        for a in attributes
        if a not in columns
    ]
    if problems:
        raise StudyError(problems)
    table = read_indicators(index_file)
    standard, score = scores(index_file, table)
    rank = numerics.ranks(score)
    held: dict[str, Floats] = {"score": score, "rank": rank, "decile": numerics.deciles(rank)}
    held |= {i.name: standard[:, k] for k, i in enumerate(index.indicator)}
    first, *more = (replace(r, source=name) for r in table.releases)
    return SourceTable(
        areas=table.areas,
        names=table.names,
        periods=_one_period(index_file, file) if wanted else None,
        measures={w: score[:, None] for w in wanted},
        attributes={a: held[a] for a in attributes},
        varying={},
        release=first,
        notes=(*table.notes, *circular(name, index, file)),
        more_releases=tuple(more),
    )


def index_described_at(source: IndexSource, folder: Path) -> str:
    """Return the latest date that an index or any release in it describes; '' where none is known.

    An index cannot be older than what it is made of.
    """
    index = read_index(resolve(source.path, folder)).index
    dates = [index.index.as_of or ""]
    dates += [find_release(i.release).as_of for i in index.indicator if i.release]
    return max(dates, key=_end_of)


def circular(name: str, index: Index, file: StudyFile) -> tuple[str, ...]:
    """Say where a study compares places on what it matched them on, or the reverse.

    Parameters
    ----------
    name : of the index among the study's sources.
    index : the index.
    file : the study.
    """
    study, title = file.study, index.index.title
    own = {(i.release, i.column) for i in index.indicator if i.release}
    covariates = [split_reference(c.column) for c in study.design.covariates]
    is_covariate = any(source == name for source, _ in covariates)
    notes = []
    for outcome in study.outcome:
        if outcome.source == name:
            shared = [c for s, c in covariates if s == name or _published(file, s, c) in own]
            if shared:
                notes.append(
                    f"Circular: '{outcome.title}' is the index '{title}', and benchmark areas were "
                    f"matched on parts of it ({', '.join(shared)}): a difference in those parts "
                    "cannot show."
                )
        elif is_covariate:
            held = _holds(index, outcome, file)
            if held:
                notes.append(
                    f"Circular: the index '{title}' among the covariates holds "
                    f"'{outcome.title}' or a measure of its family ({', '.join(held)}): benchmark "
                    "areas were matched on the outcome itself."
                )
    return tuple(notes)


def _holds(index: Index, outcome: Outcome, file: StudyFile) -> list[str]:
    """Return the indicators that are an outcome, or a measure of its family."""
    columns = [_published(file, outcome.source, c) for c in (outcome.value, *outcome.category)]
    return [i.name for i in index.indicator if i.family == outcome.family or (i.release, i.column) in columns]


def _published(file: StudyFile, source: str, column: str) -> tuple[str | None, str]:
    """Return the release and column that a study's 'source.column' is; no release for others."""
    named = file.study.source.get(source)
    return (named.from_release if named else "", column)


def _outcome_problems(file: StudyFile, own: Sequence[tuple[int, Outcome]], index: IndexFile) -> list[Problem]:
    problems = []
    for i, outcome in own:
        if outcome.claim == "change":
            problems.append(
                Problem(
                    f"'{outcome.name}' claims a change of an index, which is of one date.",
                    file.where(f"outcome.{i}.claim"),
                    'Write claim = "level": editions of an index are never differenced.',
                )
            )
        if outcome.value != "score" or outcome.kind != "score":
            problems.append(
                Problem(
                    f"'{outcome.name}' must be the index's score.",
                    file.where(f"outcome.{i}.value"),
                    'Write value = "score" and kind = "score".',
                )
            )
    if own and index.index.index.as_of is None:
        problems.append(
            Problem(
                "an index that is an outcome needs its date.",
                index.file.where("index"),
                "Write `as_of` in it.",
            )
        )
    return problems


def _one_period(index: IndexFile, file: StudyFile) -> Periods:
    """Return the period of the study's window that the index describes."""
    text, kind = index.index.index.as_of or "", file.study.study.window.kind
    written = kind_of(text)
    ordinal = parse_period(text, written) if written else None
    if ordinal is None or written is None or PeriodKind.NUMBER in (written, kind):
        raise StudyError(
            f"'{text}' is no date in a study of periods by {kind}.",
            index.file.where("index.as_of"),
            "Write a year or a month, and `study.window` in months, quarters or years.",
        )
    return Periods(kind, kind.holding(written.first_month(ordinal)), 1)


def _end_of(text: str) -> int:
    """Return the month after a date's period, for comparison; 0 for none."""
    kind = kind_of(text)
    ordinal = parse_period(text, kind) if kind else None
    if kind is None or ordinal is None or kind.per_year is None:
        return 0
    return kind.first_month(ordinal + 1)


def _read_request(request: SourceRequest[IndexSource]) -> SourceTable:
    return read_index_source(request.name, request.source, request.file, request.wanted, request.attributes)


def _describe(request: SourceRequest[IndexSource]) -> str:
    index = read_index(resolve(request.source.path, request.file.folder)).index
    when = index_described_at(request.source, request.file.folder) or "no date known"
    return f"{request.name}: index of {plural(len(index.indicator), 'indicator')}, {when}"


SOURCE = SourceKind(
    model=IndexSource, read=_read_request, describe=_describe, described_at=index_described_at
)
