"""What a report is made of: sections of paragraphs, lists, facts, tables and figures.

Each face of the report (the page, the PDF) prints the same sections in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass

from areaeffect.report.chart_tables import Figure, Table


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain text; `lead` for the one that carries the section."""

    text: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of plain texts."""

    items: tuple[str, ...]


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
class Folded:
    """Blocks that a reader opens when needed; print shows them."""

    title: str
    blocks: tuple[Block, ...]


Block = Paragraph | Bullets | Facts | Data | Figure | Folded


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part of the report.

    Parameters
    ----------
    key : its anchor: letters, digits and hyphens, unique on the page.
    title : its heading.
    blocks : what it says, in order.
    parts : sections below it.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    parts: tuple[Section, ...] = ()
