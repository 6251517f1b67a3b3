"""What is new as an Atom feed (RFC 4287), and what happened as a calendar (RFC 5545)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from areaeffect.web import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

ATOM_TYPE = "application/atom+xml; charset=utf-8"
CALENDAR_TYPE = "text/calendar; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LINE_OCTETS = 75  # RFC 5545, section 3.1
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is new.

    Parameters
    ----------
    path : its address on this server, which is also what it is known by.
    title, summary : plain text.
    updated : when it was put here.
    kind : finding, story or event.
    """

    path: str
    title: str
    summary: str
    updated: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Happening:
    """One dated event for a calendar: `day` is a year, a month or a day."""

    path: str
    day: str
    title: str
    place: str
    run: str
    updated: datetime


def atom(title: str, path: str, site: str, entries: Iterable[Entry]) -> bytes:
    """Return a feed of the newest entries, the newest first.

    Parameters
    ----------
    title : of the feed.
    path : address of the feed on this server.
    site : what stands before every path, such as `https://example.org`.
    entries : in any order.
    """
    newest = sorted(entries, key=lambda e: (e.updated, e.path), reverse=True)[: limits.FEED_ENTRIES]
    feed = Element("feed", {"xmlns": _ATOM, "xml:lang": "en-GB"})
    _text(feed, "id", identity(path))
    _text(feed, "title", title)
    _text(feed, "updated", _stamp(newest[0].updated if newest else _NEVER))
    _text(SubElement(feed, "author"), "name", "areaeffect")
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=site + path)
    SubElement(feed, "link", rel="alternate", type="text/html", href=site + path.rpartition("/")[0])
    for entry in newest:
        item = SubElement(feed, "entry")
        _text(item, "id", identity(entry.path))
        _text(item, "title", entry.title)
        _text(item, "updated", _stamp(entry.updated))
        SubElement(item, "link", rel="alternate", type="text/html", href=site + entry.path)
        SubElement(item, "category", term=entry.kind)
        _text(item, "summary", entry.summary)
    indent(feed, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(feed, "unicode")}\n'.encode()


def calendar(name: str, site: str, happenings: Iterable[Happening]) -> bytes:
    """Return a calendar of all-day events; one known by month or year spans all its days."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//areaeffect//events//EN",
        "CALSCALE:GREGORIAN",
        f"NAME:{_escaped(name)}",
        f"X-WR-CALNAME:{_escaped(name)}",
    ]
    for h in sorted(happenings, key=lambda h: (h.day, h.path)):
        first, after = span(h.day)
        lines += [
            "BEGIN:VEVENT",
            f"UID:{identity(h.path)}",
            f"DTSTAMP:{h.updated.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{_basic(first)}",
            f"DTEND;VALUE=DATE:{_basic(after)}",
            f"SUMMARY:{_escaped(h.title)}",
            f"LOCATION:{_escaped(h.place)}",
            f"DESCRIPTION:{_escaped(f'{h.run}. When: {h.day}.')}",
            f"URL:{site}{h.path}",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def span(day: str) -> tuple[date, date]:
    """Return the first day of a year, month or day, and the day after its last.

    A day that its month does not have (2014-02-31) stands for the whole month.
    """
    year, month, number = ([int(part) for part in day.split("-")] + [0, 0])[:3]
    if number:
        try:
            first = date(year, month, number)
        except ValueError:
            return span(day[:7])
        return first, first + timedelta(days=1)
    if month:
        return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)
    return date(year, 1, 1), date(year + 1, 1, 1)


def identity(path: str) -> str:
    """Return the lasting name of what is kept at a path: the same on every server."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'areaeffect:{path}')}"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NOT_XML.sub("\ufffd", text)


def _stamp(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _basic(day: date) -> str:
    return day.isoformat().replace("-", "")


def _escaped(text: str) -> str:
    """Escape a text value (RFC 5545, section 3.3.11); signs it may not hold are replaced."""
    text = _NOT_TEXT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """End a line, and fold it so that none has over 75 octets and no letter is torn."""
    parts, room = [b""], _LINE_OCTETS
    for letter in line:
        octets = letter.encode("utf-8")
        if len(octets) > room:
            parts.append(b" ")
            room = _LINE_OCTETS - 1
        parts[-1] += octets
        room -= len(octets)
    return b"\r\n".join(parts) + b"\r\n"
