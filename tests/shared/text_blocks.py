"""Every text of a document, with the section and the card it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from areaeffect.document.blocks import (
    Answers,
    Beside,
    Bullets,
    Card,
    Code,
    Data,
    Document,
    Facts,
    Figure,
    Folded,
    Links,
    Paragraph,
    Section,
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A text, the key of its section, the title of its card, and what kind of block it is in."""

    text: str
    section: str
    card: str
    kind: str


def texts(document: Document) -> Iterator[Text]:
    """Return every text in the order of reading; lists of areas and code are names, not texts."""
    for section in document.sections:
        for text, card, kind in _texts(section, ""):
            if text.strip():
                yield Text(text, section.key, card, kind)


def _texts(  # noqa: PLR0912  # one case a kind of block
    holder: Any, card: str
) -> Iterator[tuple[str, str, str]]:
    kind = type(holder).__name__
    match holder:
        case Section():
            yield holder.title, card, "title"
            for part in (*holder.blocks, *holder.parts):
                yield from _texts(part, card)
        case Paragraph():
            yield f"{holder.begins} {holder.text}".strip(), card, kind
        case Bullets():
            yield holder.title, card, "title"
            if holder.mark != "areas":
                yield from ((item, card, kind) for item in holder.items)
        case Facts():
            yield from ((f"{name}: {value}", card, kind) for name, value in holder.pairs)
        case Folded():
            yield holder.title, card, "title"
            yield holder.in_print or "", card, "in print"
            for block in holder.blocks:
                yield from _texts(block, card)
        case Card():
            yield holder.title, holder.title, "title"
            yield holder.meaning, holder.title, kind
            for block in holder.blocks:
                yield from _texts(block, holder.title)
        case Answers():
            yield from ((headline, card, kind) for _, _, headline in holder.items)
        case Beside():
            for block in holder.blocks:
                yield from _texts(block, card)
        case Figure():
            yield holder.title, card, "title of a chart"
            yield holder.note, card, "note of a chart"
            said = re.search(r"<desc[^>]*>(.*?)</desc>", holder.chart, re.DOTALL)
            yield unescape(said[1]) if said else "", card, "description of a chart"
        case Data():
            yield holder.table.caption, card, "caption"
        case Code() | Links():
            return
        case _:
            raise TypeError(f"a new kind of block: {kind}")
