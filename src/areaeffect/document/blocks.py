"""What a report is made of: sections of blocks that each face prints in its own way.

The page and the PDF (`page.py`) print the same document. Every text in it is plain:
each face escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import IntEnum
from itertools import count
from typing import Any

from areaeffect import wording
from areaeffect.document.chart_tables import Figure, Table
from areaeffect.results import Verdict
from areaeffect.wording import numbers

PRINTED_ROWS = 80  # a longer table is for the screen and for its file


class SectionPlace(IntEnum):
    """The place of a section in the report; sections of one place keep their own order."""

    ANSWER = 1
    OUTCOMES = 2
    SAY = 3
    CHECKS = 4
    VALUE = 5
    VOICES = 6
    WHO = 7
    METHOD = 8
    DATA = 9
    AGAIN = 10


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; `lead` for the one that carries the section, `note` for an aside.

    `begins` is printed before it in bold.
    """

    text: str
    lead: bool = False
    note: bool = False
    begins: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain texts under an optional title.

    `mark` is empty, 'can', 'cannot' (what may and may not be said), 'numbered', or 'areas'
    (numbered, in columns where there is room).
    """

    items: tuple[str, ...]
    title: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, both in words."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Data:
    """A table with the name of the file that holds its numbers; empty for none."""

    table: Table
    file: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """Texts that lead to files beside the report."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Something to be copied as it is, such as a command or a hash; `label` says what."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Figures side by side where there is room; `is_tall`: the last beside all the others."""

    blocks: tuple[Figure, ...]
    is_tall: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks that a reader opens when needed.

    Print shows them, unless `in_print` has words to replace them there; empty: nothing does.
    `about` tells apart folded blocks of one title to those who cannot see where they are.
    """

    title: str
    blocks: tuple[Block, ...]
    about: str = ""
    in_print: str | None = None


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict as symbol and word; `is_plain`: in the words of a page for residents."""

    verdict: Verdict
    is_plain: bool = False

    @property
    def symbol(self) -> str:
        """The sign before the word."""
        return numbers.VERDICT_SYMBOLS[self.verdict]

    @property
    def word(self) -> str:
        """The verdict in print."""
        return wording.plain_verdict(self.verdict) if self.is_plain else wording.verdict_name(self.verdict)

    @property
    def look(self) -> str:
        """Name of its style."""
        return self.verdict.value.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Answers:
    """Verdict, kind of claim and headline of several findings."""

    items: tuple[tuple[Badge, str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One finding: its verdict, what that means, and the blocks behind it."""

    key: str
    title: str
    badge: Badge
    meaning: str
    blocks: tuple[Block, ...]


Block = Paragraph | Bullets | Facts | Data | Links | Code | Figure | Beside | Folded | Answers | Card


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the report."""

    key: str  # its anchor: letters, digits and hyphens, unique on the page
    title: str  # its heading
    blocks: tuple[Block, ...]  # what it says, in order
    parts: tuple[Section, ...] = ()  # sections below it
    place: SectionPlace = SectionPlace.CHECKS  # its place in the report; of no meaning for parts.


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report or page, in the order of print."""

    title: str
    kind: str
    question: str
    sections: tuple[Section, ...]
    footer: str
    home: tuple[str, str] = ("", "")  # a text and where it leads
    compact: bool = False  # printed in small type on a sheet or two, without a list of contents
    keeps_end: bool = False  # whether print keeps the end on one page: its last section, of a compact one two


def figures(document: Document) -> Iterator[Figure]:
    """Return every figure in the order of print."""
    for section in document.sections:
        yield from _figures(section)


def named(section: Section) -> Section:
    """Return a section whose figures all have names: their own, or the section's with a number."""
    numbers = count(1)

    def name(holder: Any) -> Any:
        if isinstance(holder, Figure):
            return holder if holder.name else replace(holder, name=f"{section.key}-{next(numbers)}")
        if isinstance(holder, (Beside, Card, Folded, Section)):
            holder = replace(holder, blocks=tuple(map(name, holder.blocks)))
        if isinstance(holder, Section):
            return replace(holder, parts=tuple(map(name, holder.parts)))
        return holder

    made: Section = name(section)
    return made


def in_print(document: Document) -> Document:
    """Return what print shows of a document.

    Folded blocks that have words instead give way to those, and long tables to their length.
    """
    made: Document = _printed(document)
    return made


def _printed(holder: Any) -> Any:
    if isinstance(holder, Folded) and holder.in_print is not None:
        return Paragraph(holder.in_print, note=True)
    if isinstance(holder, Data) and len(holder.table.rows) > PRINTED_ROWS:
        return Paragraph(f"{holder.table.caption}: {len(holder.table.rows):,} rows, not printed.")
    for name in ("sections", "blocks", "parts"):
        if hasattr(holder, name):
            kept = (b for b in getattr(holder, name) if getattr(b, "in_print", None) != "")
            holder = replace(holder, **{name: tuple(map(_printed, kept))})
    return holder


def plain(item: Any) -> Any:
    """Return a part of a document as plain JSON values; each record names its kind."""
    if isinstance(item, Badge):
        return {"symbol": item.symbol, "word": item.word, "look": item.look}
    if is_dataclass(item) and not isinstance(item, type):
        left_out = {"rows"} if isinstance(item, Figure) else set()  # the chart shows them
        own = {f.name: plain(getattr(item, f.name)) for f in fields(item) if f.name not in left_out}
        return own | {"block": type(item).__name__}
    if isinstance(item, (tuple, list)):
        return [plain(part) for part in item]
    return sorted(item) if isinstance(item, frozenset) else item


def _figures(holder: Section | Card | Folded | Beside) -> Iterator[Figure]:
    for block in holder.blocks:
        if isinstance(block, Figure):
            yield block
        elif isinstance(block, (Beside, Card, Folded)):
            yield from _figures(block)
    if isinstance(holder, Section):
        for part in holder.parts:
            yield from _figures(part)
