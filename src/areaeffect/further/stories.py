"""Events and stories beside the numbers: read, checked, counted by theme; no estimate uses them."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from areaeffect.assembly.assemble import Assembled
from areaeffect.document.blocks import Block, Data, Folded, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import Table
from areaeffect.errors import DataError, Faults, Problem, did_you_mean
from areaeffect.findings.case import Finished
from areaeffect.outcomes import FAMILIES
from areaeffect.records import Column, DataTable
from areaeffect.results import ALL_INITIATIVES, Annex, Finding, Result
from areaeffect.study.analysis import Stories
from areaeffect.study.file import StudyFile
from areaeffect.study.parts import Part, PeriodText, resolve
from areaeffect.tables.cells import compared_text, plain_text
from areaeffect.tables.user_table import read_user_table, rows_account
from areaeffect.wording.numbers import PHRASES, phrase

_EVERYWHERE = "all neighbourhoods"


@dataclass(frozen=True, slots=True)
class Voices:
    """How many stories are not printed, because nobody has agreed to it."""

    withheld: int


def stories_section(result: Result, annex: Annex[Voices]) -> Section:
    """Build the section of events and stories."""
    del result
    stories_read = annex.table("stories").records()
    events = annex.table("events").records()
    blocks: list[Block] = [Paragraph(PHRASES["stories.people_say"])]
    if annex.found.withheld:
        n = annex.found.withheld
        stories = "1 story is" if n == 1 else f"{n} stories are"
        blocks.append(Paragraph(phrase("stories.printed_people", stories=stories)))
    if events:
        cells = tuple((e["date"], e["neighbourhood"] or _EVERYWHERE, e["what"]) for e in events)
        table = Table("What happened, and when", ("When", "Where", "What"), cells)
        blocks.append(Data(table, "events"))
    if stories_read:
        blocks += [
            Data(_theme_table(annex), "themes"),
            *(
                Folded(
                    f"{s['title']} ({s['neighbourhood']}, {s['date']})",
                    tuple(Paragraph(p.strip()) for p in s["text"].split("\n\n") if p.strip()),
                )
                for s in stories_read
            ),
        ]
    return Section("stories", "What people say", tuple(blocks), place=SectionPlace.VOICES)


def events_of(result: Result, group: str) -> tuple[tuple[str, str, str], ...]:
    """Return date, place and what happened, of events in a group's neighbourhoods or everywhere."""
    annex = result.annex("stories")
    if annex is None:
        return ()
    places = {a.neighbourhood for a in result.areas if a.initiative == group}
    rows = annex.table("events").records()
    return tuple(
        (e["date"], e["neighbourhood"], e["what"])
        for e in rows
        if not e["neighbourhood"] or group == ALL_INITIATIVES or e["neighbourhood"] in places
    )


def _theme_table(annex: Annex[Voices]) -> Table:
    rows = tuple(
        (
            r["theme"],
            FAMILIES[r["family"]].title,
            r["neighbourhood"],
            str(r["stories"]),
            r["verdict"] + (f" ({r['finding']})" if r["finding"] else ""),
        )
        for r in annex.table("themes").records()
    )
    head = ("Theme", "It speaks of", "Neighbourhood", "Stories", "What the numbers say")
    return Table(PHRASES["stories.where_stories"], head, rows, frozenset({3}))


MOST_CHARACTERS = 10_000
_FIRST_YEAR, _LAST_YEAR = 1000, 2999
#: When, where (empty: everywhere) and what happened.
Event = tuple[str, str, str]
_FRONT = re.compile(r"\A\+\+\+\s*\n(.*?)\n\+\+\+\s*\n(.*)\Z", re.DOTALL)
DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")

_PLACE = Column("neighbourhood", "string", "Neighbourhood; empty: all of them")
_WHEN = Column("date", "string", "When: a year, a month or a day")
EVENTS = (_WHEN, _PLACE, Column("what", "string", "What happened"))
STORIES = (
    Column("title", "string", "Title of the story"),
    _PLACE,
    _WHEN,
    Column("themes", "string", "Themes, separated by ' | '"),
    Column("text", "string", "What was said"),
)
THEMES = (
    Column("theme", "string", "Theme of the theory of change"),
    Column("family", "string", "Outcome family it speaks of"),
    _PLACE,
    Column("stories", "integer", "Stories that name it"),
    Column("verdict", "string", "What the numbers say there, of that family"),
    Column("finding", "string", "Whose finding that is: the neighbourhood's or its group's"),
)


class FrontMatter(Part):
    """What stands at the head of a story, between lines of three plus signs."""

    title: str = Field(min_length=1, max_length=200, description="title of the story")
    place: str = Field(description="name of the neighbourhood")
    date: PeriodText = Field(description="when: a year, a month or a day")
    themes: tuple[str, ...] = Field(min_length=1, description="themes it speaks of")
    consent: bool = Field(description="whether those who speak agreed to be printed")


@dataclass(frozen=True, slots=True)
class Story:
    """One case study."""

    front: FrontMatter
    text: str


def stories_step(finished: Finished) -> Annex[Voices] | None:
    """Read events and stories, and set themes beside verdicts; None where the study has none."""
    stories = finished.file.study.stories
    if stories is None:
        return None
    read = _read(stories, finished.file, finished.data)
    events, stories_read, withheld = read.events, read.stories_read, read.withheld
    counted = theme_rows(stories_read, stories, finished.result.findings)
    rows = tuple(
        (s.front.title, s.front.place, s.front.date, " | ".join(s.front.themes), s.text) for s in stories_read
    )
    tables = (
        DataTable("events", "What happened", EVENTS, events),
        DataTable("stories", "What people say", STORIES, rows),
        DataTable("themes", "Themes beside verdicts", THEMES, counted),
    )
    return Annex("stories", Voices(withheld), tables)


def check_stories(file: StudyFile, data: Assembled | None) -> tuple[str, ...]:
    """Refuse a study with events or stories that cannot be read; return remarks on reading."""
    return () if file.study.stories is None else _read(file.study.stories, file, data).notes


@dataclass(frozen=True, slots=True)
class _Voices:
    """Events, stories that may be printed, how many may not, and remarks on reading."""

    events: tuple[Event, ...] = ()
    stories_read: tuple[Story, ...] = ()
    withheld: int = 0
    notes: tuple[str, ...] = ()


def _read(stories: Stories, file: StudyFile, data: Assembled | None) -> _Voices:
    places = None if data is None else sorted({u.name for u in data.neighbourhoods})
    read, faults = _Voices(), Faults()
    if stories.events is not None:
        events = faults.attempt(read_events, resolve(stories.events, file.folder), places)
        read = read if events is None else replace(read, events=events[0], notes=events[1])
    if stories.folder is not None:
        folder = resolve(stories.folder, file.folder)
        stories_read = faults.attempt(read_stories, folder, stories, places)
        read = (
            read
            if stories_read is None
            else replace(read, stories_read=stories_read[0], withheld=stories_read[1])
        )
    faults.raise_all()
    return read


def read_events(path: Path, places: Sequence[str] | None) -> tuple[tuple[Event, ...], tuple[str, ...]]:
    """Read dated events: columns date, neighbourhood (empty: all), what; sorted by date.

    Parameters
    ----------
    path : the file.
    places : the study's neighbourhoods; None where they are not known.

    Returns
    -------
    The events, and remarks on reading.

    Raises
    ------
    DataError
        With every fault: columns that are missing, dates that cannot be read, unknown places.
    """
    columns = ["date", "neighbourhood", "what"]
    whole = read_user_table(path, None, columns)
    table = whole.frame
    missing = [c for c in columns if c not in table.columns]
    if missing:
        raise DataError([Problem(f"there is no column '{c}'.", str(path)) for c in missing])
    spelled = {compared_text(p): p for p in places or ()}
    problems, rows = [], list[Event]()
    for line, date, place, what in table[columns].map(plain_text).itertuples(name=None):
        where, meant = f"{path}, row {line}", spelled.get(compared_text(place), place)
        if not _is_date(date):
            fix = "Write 2014, 2014-05 or 2014-05-12."
            problems.append(Problem(f"'{date}' is not a date.", where, fix))
        if place and places is not None and meant not in places:
            problems.append(_unknown_place(place, places, where))
        if not what:
            problems.append(Problem("it does not say what happened.", where))
        rows.append((date, meant, what))
    if problems:
        raise DataError(problems)
    kept = sorted(set(rows))
    account = rows_account(path.name, len(rows) + len(whole.left_out), len(kept))
    return tuple(kept), (*whole.notes, account)


def _is_date(text: str) -> bool:
    """Tell whether a text is a year, a month or a day that the calendar has."""
    if not DATE.fullmatch(text) or not _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR:
        return False
    with suppress(ValueError):
        datetime.date.fromisoformat(text + "-01-01"[: 10 - len(text)])
        return True
    return False


def read_stories(
    folder: Path, stories: Stories, places: Sequence[str] | None
) -> tuple[tuple[Story, ...], int]:
    """Read every .md file of a folder, in order of name.

    Returns
    -------
    stories, withheld
        Those with consent, and how many are not printed for want of it.

    Raises
    ------
    DataError
        With every fault of every file.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder of stories.", str(folder))
    problems: list[Problem] = []
    stories_read = []
    for path in sorted(folder.glob("*.md")):
        story = _story(path, stories, places, problems)
        if story is not None:
            stories_read.append(story)
    if problems:
        raise DataError(problems)
    shown = tuple(s for s in stories_read if s.front.consent)
    return shown, len(stories_read) - len(shown)


def _story(
    path: Path, stories: Stories, places: Sequence[str] | None, problems: list[Problem]
) -> Story | None:
    where, before = str(path), len(problems)
    try:
        story = parse_story(path.read_text(encoding="utf-8"), where)
    except (OSError, UnicodeDecodeError):
        problems.append(Problem("the story cannot be read as UTF-8.", where))
        return None
    except DataError as error:
        problems += error.problems
        return None
    front = story.front
    if places is not None and front.place not in places:
        problems.append(_unknown_place(front.place, places, where))
    for theme in front.themes:
        if theme not in stories.themes:
            near = did_you_mean(theme, stories.themes)
            problems.append(
                Problem(
                    f"theme '{theme}' is not in the study's theory of change.",
                    where,
                    near or f"Themes: {', '.join(stories.themes) or 'none declared'}.",
                )
            )
    return story if len(problems) == before else None


def parse_story(text: str, where: str) -> Story:
    """Read one story: its head as TOML between lines of three plus signs, then what was said.

    Raises
    ------
    DataError
        With every fault of the head, or where nothing or too much was said.
    """
    parts = _FRONT.match(text)
    if parts is None:
        fix = "Begin with +++, then title, place, date, themes, consent as TOML, then +++."
        raise DataError("the story has no head.", where, fix)
    try:
        front = FrontMatter.model_validate(tomllib.loads(parts[1]))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"the head is not TOML: {error}.", where) from None
    except ValidationError as error:
        faults = [Problem(f"{e['msg']}.", f"{where}, {'.'.join(map(str, e['loc']))}") for e in error.errors()]
        raise DataError(faults) from None
    body = parts[2].strip()
    if not body or len(body) > MOST_CHARACTERS:
        raise DataError(f"a story has 1 to {MOST_CHARACTERS:,} characters.", where)
    return Story(front, body)


def theme_rows(
    stories_read: Sequence[Story], stories: Stories, findings: Sequence[Finding]
) -> tuple[tuple[Any, ...], ...]:
    """Count stories by theme and neighbourhood, and set the verdict of that family beside."""
    counts = Counter((theme, s.front.place) for s in stories_read for theme in dict.fromkeys(s.front.themes))
    rows = []
    for (theme, place), number in sorted(counts.items()):
        family = stories.themes[theme]
        finding = _finding_of(place, family, findings)
        verdict = str(finding.verdict) if finding else "not studied"
        whose = (finding.neighbourhood or finding.group) if finding else ""
        rows.append((theme, family, place, number, verdict, whose))
    return tuple(rows)


def _finding_of(place: str, family: str, findings: Sequence[Finding]) -> Finding | None:
    """Return the finding nearest to a place: its own, else that of its initiative, else of all."""
    of_family = [f for f in findings if f.family == family]
    own = [f for f in of_family if f.neighbourhood == place]
    groups = {f.group for f in findings if f.neighbourhood == place}
    grouped = [f for f in of_family if f.neighbourhood is None and f.primary]
    near = [f for f in grouped if f.group in groups]
    rest = [f for f in grouped if f.group == ALL_INITIATIVES] or grouped
    return next(iter((*own, *near, *rest)), None)


def _unknown_place(place: str, places: Sequence[str], where: str) -> Problem:
    near = did_you_mean(place, places)
    return Problem(f"'{place}' is not a neighbourhood of this study.", where, near)
