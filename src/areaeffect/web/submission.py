"""What a resident sends in: read from a form, checked, and every fault told at once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import FormData
from starlette.formparsers import FormParser

from areaeffect.errors import DataError, Problem
from areaeffect.further.stories import DATE
from areaeffect.outcomes import FAMILIES
from areaeffect.web import limits
from areaeffect.web.feeds import span
from areaeffect.web.refusals import Refusal
from areaeffect.web.voices import EVENTS_FILE, Kind, Voice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from starlette.requests import Request

FORM_TYPE = "application/x-www-form-urlencoded"
#: A field that people do not see and programs fill in.
TRAP = "website"
FIELDS = ("kind", "run", "place", "date", "title", "text", "theme", "contact", "consent", TRAP)
#: What a story may speak of: the six families, so that a study can set verdicts beside it.
THEMES = {name: family.title for name, family in FAMILIES.items()}
FIRST_YEAR, LAST_YEAR = 1900, 2100
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was sent.

    Parameters
    ----------
    kind : story or event.
    run, place : name of the run, and of the page of the neighbourhood.
    date, title, text, contact : as typed, without spaces at the ends.
    themes : names of outcome families.
    consent : whether the box was ticked.
    trapped : whether the hidden field was filled in.
    """

    kind: Kind = "story"
    run: str = ""
    place: str = ""
    date: str = ""
    title: str = ""
    text: str = ""
    themes: tuple[str, ...] = ()
    contact: str = ""
    consent: bool = False
    trapped: bool = False

    def voice(self, place: str) -> Voice:
        """Return what it says, of the neighbourhood of that name."""
        themes = tuple(THEMES[t] for t in self.themes)
        return Voice(self.run, place, self.kind, self.date, self.title, self.text, themes)


async def read_form(request: Request, most: int = limits.STORY_BYTES) -> FormData:
    """Read a form of plain fields, counting its bytes as they come.

    Raises
    ------
    Refusal
        413 where it is too large, 415 where it is another kind of form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refusal(415, "This is not the form of this page.", "Use the page's own form.")

    async def counted() -> AsyncGenerator[bytes, None]:
        read = 0
        async for chunk in request.stream():
            read += len(chunk)
            if read > most:
                what = f"What was sent is larger than {most // limits.KIB} KiB."
                raise Refusal(413, what, "Send less at once.", headers={"connection": "close"})
            yield chunk

    return await FormParser(request.headers, counted()).parse()


def submission_of(form: FormData) -> Submission:
    """Read a submission from its form.

    Raises
    ------
    Refusal
        400 for a field that is not known or given twice, 422 for one that is too long: a browser
        lets nobody type so much.
    """
    sent: dict[str, str] = {}
    themes = []
    for name, value in form.multi_items():
        text = str(value).replace("\r\n", "\n").replace("\r", "\n").strip()
        if name not in FIELDS or (name in sent and name != "theme"):
            raise Refusal(
                400, "The form has a field that is not known, or one twice.", "Reload it."
            )
        if name == "theme":
            themes.append(text)
        else:
            sent[name] = text
    for name, most in (
        ("title", limits.TITLE_LETTERS),
        ("text", limits.STORY_LETTERS),
        ("contact", limits.CONTACT_LETTERS),
    ):
        if len(sent.get(name, "")) > most:
            what = f"There are more than {most:,} letters."
            raise Refusal(422, what, "Make it shorter.", name)
    return Submission(
        kind="event" if sent.get("kind") == "event" else "story",
        run=sent.get("run", ""),
        place=sent.get("place", ""),
        date=sent.get("date", ""),
        title=sent.get("title", ""),
        text=sent.get("text", ""),
        themes=tuple(dict.fromkeys(t for t in themes if t in THEMES)),
        contact=sent.get("contact", ""),
        consent=sent.get("consent") == "yes",
        trapped=bool(sent.get(TRAP)),
    )


def faults_of(sent: Submission, places: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong by field, in words for who filled it in; empty where nothing is.

    Parameters
    ----------
    sent : the form.
    places : names of the neighbourhoods of its run by the name of their page.
    """
    story = sent.kind == "story"
    found = {
        "place": "" if sent.place in places else "Choose a neighbourhood of the list.",
        "date": _date_fault(sent.date),
        "title": _title_fault(sent.title, "a title" if story else "what happened"),
        "text": "Write your story." if story and not sent.text else "",
        "theme": "Choose at least one thing it is about." if story and not sent.themes else "",
    }
    for name in ("title", "text", "contact"):
        value = getattr(sent, name)
        if _CONTROL.search(value):
            found[name] = "It holds signs that cannot be shown. Type it again."
        elif name != "contact" and len(_LINK.findall(value)) > limits.STORY_LINKS:
            found[name] = f"Give at most {limits.STORY_LINKS} web addresses."
    found["consent"] = "" if sent.consent else "We can only take it if you agree."
    return {name: what for name, what in found.items() if what}


def _date_fault(date: str) -> str:
    if not DATE.fullmatch(date):
        return "Write when it was: 2014, 2014-05 or 2014-05-12."
    if not FIRST_YEAR <= int(date[:4]) <= LAST_YEAR:
        return f"Write a year from {FIRST_YEAR} to {LAST_YEAR}."
    first, after = span(date)
    if date.count("-") == 2 and (after - first).days > 1:  # noqa: PLR2004  # a day was named
        return "That month does not have this day."
    return ""


def _title_fault(title: str, what: str) -> str:
    if not title:
        return f"Write {what}."
    if "\n" in title:
        return "Write it in one line."
    if title.startswith(_FORMULA):
        return "Begin with a letter or a number, not with = + - or @."
    return ""


def study_part(folder: Path) -> str:
    """Return the part of a study file that reads the stories and events shown of a run.

    Raises
    ------
    DataError
        Where nothing is shown of it.
    """
    files = (("events", folder / EVENTS_FILE), ("folder", folder / "stories"))
    named = [f"{key} = {json.dumps(str(path))}" for key, path in files if path.exists()]
    if not named:
        what = "no story or event of this run is shown."
        raise DataError(Problem(what, str(folder), "See `areaeffect stories list`."))
    themes = [f"{json.dumps(title)} = {json.dumps(name)}" for name, title in THEMES.items()]
    return "\n".join(["[stories]", *named, "", "[stories.themes]", *themes])
