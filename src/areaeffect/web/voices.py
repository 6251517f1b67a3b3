"""Stories and events of residents: kept as a study reads them, shown only after moderation.

For each published run the folder holds

    RUN/waiting/TIME-KEY.md, .csv   not shown yet: a story, an event
    RUN/contact/KEY.txt             how to ask back; deleted with the decision, never shown
    RUN/stories/TIME-KEY.md         shown stories, in the form of `[stories] folder`
    RUN/events.csv                  shown events, in the form of `[stories] events`

so that `[stories] folder = "RUN/stories"` is all that the next evaluation needs. Every file
appears whole or not at all. The author holds a code, whose hash is the key: with it a story can be
taken back at any time, and nothing else about its author is kept.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import logging
import os
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from areaeffect.errors import DataError, Problem
from areaeffect.further.stories import DATE, Front, Story, parse_story, story_text
from areaeffect.web import limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}(?:~[A-Za-z0-9][A-Za-z0-9_-]{0,79})?")
KEY = re.compile(r"[0-9a-f]{32}")
_NAMED = re.compile(rf"(\d{{8}}T\d{{6}}Z)-({KEY.pattern})")
EVENTS_FILE = "events.csv"
_TIME = "%Y%m%dT%H%M%SZ"
_EVENT_COLUMNS = ("date", "neighbourhood", "what", "shown", "key")
UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
Kind = Literal["story", "event"]
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Voice:
    """What a resident sent in: a story with title, themes and text, or an event with its title.

    Parameters
    ----------
    run, place : the published run and its neighbourhood.
    kind : story or event.
    date : when it happened: a year, a month or a day.
    title : of the story; of an event, what happened.
    text, themes : of the story.
    key : its name in the store.
    time : when it was first shown; before that, when it came in.
    """

    run: str
    place: str
    kind: Kind
    date: str
    title: str
    text: str = ""
    themes: tuple[str, ...] = ()
    key: str = ""
    time: datetime = UNKNOWN


class Voices:
    """The folder of all that residents sent in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: tuple[object, tuple[Voice, ...]] = (None, ())
        self._changes = 0  # made by this process: clocks of files are coarse

    def submit(self, voice: Voice, contact: str = "") -> str:
        """Put a story or an event on the list of those that wait; return the code of its author.

        Raises
        ------
        DataError
            Where too many wait already.
        """
        if len(self._files("waiting")) >= limits.STORIES_WAITING:
            what = "so many stories wait for a moderator that no more are taken."
            raise DataError(Problem(what, fix="Try again in a few days."))
        code = secrets.token_hex(16)
        now = datetime.now(UTC)
        voice = replace(voice, key=_key_of(code), time=now)
        own = self._run(voice.run)
        if contact:
            _write(own / "contact" / f"{voice.key}.txt", contact)
        stem = f"{now.strftime(_TIME)}-{voice.key}"
        if voice.kind == "story":
            _write(own / "waiting" / f"{stem}.md", story_text(_story(voice)))
        else:
            _write(own / "waiting" / f"{stem}.csv", _table([_row(voice)]))
        return code

    def waiting(self) -> tuple[tuple[Voice, str], ...]:
        """Return all that wait, each with how to ask back (empty: not given), oldest first."""
        found = []
        for path in self._files("waiting"):
            for voice in _read(path):
                contact = path.parent.parent / "contact" / f"{voice.key}.txt"
                found.append(
                    (voice, contact.read_text(encoding="utf-8") if contact.is_file() else "")
                )
        return tuple(sorted(found, key=lambda pair: (pair[0].time, pair[0].key)))

    def decide(self, run: str, key: str, *, show: bool, now: datetime | None = None) -> Voice:
        """Show or refuse one that waits; what its author wrote to ask back is deleted.

        Raises
        ------
        DataError
            Where nothing of that run and key waits.
        """
        own = self._run(run)
        with _locked(own):
            waiting = [p for p in self._files("waiting", own) if p.stem.endswith(f"-{key}")]
            voice = next((v for path in waiting for v in _read(path)), None)
            if voice is None:
                what = "nothing of this name waits."
                raise DataError(Problem(what, fix="It may have been decided already."))
            (path,) = waiting
            shown = replace(voice, time=(now or datetime.now(UTC)).replace(microsecond=0))
            if show and voice.kind == "story":
                (own / "stories").mkdir(exist_ok=True)
                path.rename(own / "stories" / f"{shown.time.strftime(_TIME)}-{key}.md")
            else:
                if show:
                    _write(own / EVENTS_FILE, _table([*_rows(own / EVENTS_FILE), _row(shown)]))
                path.unlink()
            (own / "contact" / f"{key}.txt").unlink(missing_ok=True)
        self._changes += 1
        return shown

    def withdraw(self, code: str) -> bool:
        """Take back what was sent in with this code, shown or not; say whether there was any."""
        key = _key_of(code)
        paths = [p for part in ("waiting", "contact", "stories") for p in self._files(part)]
        own = [p for p in paths if p.stem.endswith(key)]
        for path in own:
            path.unlink(missing_ok=True)
        told = {v.run for v in self.shown() if v.key == key and v.kind == "event"}
        for folder in (self.folder / run for run in told):
            with _locked(folder):
                left = [row for row in _rows(folder / EVENTS_FILE) if row.get("key") != key]
                _write(folder / EVENTS_FILE, _table(left))
        self._changes += 1
        return bool(own or told)

    def shown(self) -> tuple[Voice, ...]:
        """Return all that are shown, the newest first."""
        state = self.state()
        if state != self._held[0]:
            runs = self._runs()
            paths = [p / EVENTS_FILE for p in runs] + self._files("stories")
            found = [voice for path in paths for voice in _read(path)]
            found.sort(key=lambda v: (v.time, v.key), reverse=True)
            self._held = (state, tuple(found))
        return self._held[1]

    def state(self) -> tuple[object, ...]:
        """Return what changes whenever something else is shown."""
        files = ((p.name, _changed(p / "stories"), _changed(p / EVENTS_FILE)) for p in self._runs())
        return (self._changes, *files)

    def _run(self, run: str) -> Path:
        if not RUN_NAME.fullmatch(run):
            raise DataError(Problem("this is not the name of a published run."))
        return self.folder / run

    def _runs(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if p.is_dir() and RUN_NAME.fullmatch(p.name))

    def _files(self, part: str, run: Path | None = None) -> list[Path]:
        folders = [folder / part for folder in ([run] if run else self._runs())]
        own = [p for f in folders if f.is_dir() for p in f.iterdir() if not p.name.startswith(".")]
        return sorted(own)


def _key_of(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()[:32]


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _story(voice: Voice) -> Story:
    front = Front(
        title=voice.title, place=voice.place, date=voice.date, themes=voice.themes, consent=True
    )
    return Story(front, voice.text)


def _read(path: Path) -> list[Voice]:
    """Read one story, or the events of one file; what cannot be read is logged and not shown."""
    folder = path.parent.parent if path.parent.name in {"waiting", "stories"} else path.parent
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            return [v for row in csv.DictReader(io.StringIO(text)) if (v := _event(folder, row))]
        told = parse_story(text, str(path))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, DataError) as error:
        _LOG.warning("%s is not shown: %s", path, error)
        return []
    if not told.front.consent:
        return []
    front, named = told.front, _NAMED.fullmatch(path.stem)
    voice = Voice(
        run=folder.name,
        place=front.place,
        kind="story",
        date=front.date,
        title=front.title,
        text=told.text,
        themes=front.themes,
        key=named[2] if named else _key_of(path.stem),
    )
    return [replace(voice, time=_time(named[1]) if named else voice.time)]


def _event(folder: Path, row: dict[str, str]) -> Voice | None:
    date, place, what = (row.get(name) or "" for name in _EVENT_COLUMNS[:3])
    if not (DATE.fullmatch(date) and what):
        _LOG.warning("an event of %s is not shown: its date or what happened is missing", folder)
        return None
    key = row.get("key") or _key_of("\n".join((date, place, what)))
    return Voice(folder.name, place, "event", date, what, key=key, time=_time(row.get("shown")))


def _time(text: str | None) -> datetime:
    try:
        return datetime.strptime(text or "", _TIME).replace(tzinfo=UTC)
    except ValueError:
        return UNKNOWN


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process or thread at a time change what is kept of a run."""
    if not folder.is_dir():
        yield  # nothing is kept of it
        return
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of events, also those that cannot be shown; none without a file."""
    if not path.is_file():
        return []
    text = io.StringIO(path.read_text(encoding="utf-8"))
    return [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(text)]


def _row(event: Voice) -> dict[str, str]:
    values = (event.date, event.place, event.title, event.time.strftime(_TIME), event.key)
    return dict(zip(_EVENT_COLUMNS, values, strict=True))


def _table(rows: Sequence[dict[str, str]]) -> str:
    buffer = io.StringIO()
    columns = list(dict.fromkeys([*_EVENT_COLUMNS, *(name for row in rows for name in row)]))
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: [row.get(name, "") for name in columns]))
    return buffer.getvalue()


def _write(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
