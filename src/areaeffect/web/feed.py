"""What is new on a site, as an Atom feed (RFC 4287)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from areaeffect.web import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

ATOM_TYPE = "application/atom+xml; charset=utf-8"
_ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is new."""

    path: str  # its page, relative to the site
    identity: str  # what it is known by, wherever the site is
    #: title, summary: plain text
    title: str
    summary: str
    updated: datetime  # when its run was written
    kind: str  # finding, story or event


def atom(title: str, path: str, base_url: str, entries: Iterable[Entry]) -> bytes:
    """Return a feed of the newest entries, the newest first.

    Parameters
    ----------
    title : of the feed.
    path : of the feed, relative to the site.
    base_url : address of the site; empty: links are relative to the feed.
    entries : in any order.
    """
    every = sorted(entries, key=lambda e: (-e.updated.timestamp(), e.path))
    newest = every[: limits.FEED_ENTRIES]
    before = f"{base_url}/" if base_url else ""
    root = Element("feed", {"xmlns": _ATOM, "xml:lang": "en-GB"})
    _text(root, "id", _identity(base_url or " ".join(sorted(e.identity for e in every))))
    _text(root, "title", title)
    _text(root, "updated", _stamp(newest[0].updated if newest else _NEVER))
    _text(SubElement(root, "author"), "name", "areaeffect")
    SubElement(root, "link", rel="self", type="application/atom+xml", href=before + path)
    SubElement(root, "link", rel="alternate", type="text/html", href=f"{before}index.html")
    for entry in newest:
        item = SubElement(root, "entry")
        _text(item, "id", _identity(entry.identity))
        _text(item, "title", entry.title)
        _text(item, "updated", _stamp(entry.updated))
        SubElement(item, "link", rel="alternate", type="text/html", href=before + entry.path)
        SubElement(item, "category", term=entry.kind)
        _text(item, "summary", entry.summary)
    indent(root, " ")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{tostring(root, "unicode")}\n'.encode()


def _identity(text: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'areaeffect:{text}')}"


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _NOT_XML.sub("\ufffd", text)


def _stamp(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
