"""A document as one HTML file that needs no script."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from areaeffect.document.csv_files import json_text, rounded_number, write_table, write_text
from areaeffect.document.folders import RUN_FILE, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from jinja2 import Template
    from markupsafe import Markup

    from areaeffect.document.blocks import Document, Section
    from areaeffect.records import DataTable
    from areaeffect.results import Release

LONGEST_WORD = 16  # letters of a table's cell that stay together


def to_html(document: Document, files: Mapping[str, str], charts: str = "") -> str:
    """Return a document as a page that holds all it needs.

    Parameters
    ----------
    document : what to print.
    files : address of each table's file, by name; a table that is not named gets no link.
    charts : folder of the files of each chart; empty: no links to them.
    """
    style = _style()
    text = _template().render(
        document=document, links=files, charts=charts, style=style, policy=policy_of(style)
    )
    return text if text.endswith("\n") else text + "\n"


def sections_html(sections: Sequence[Section], files: Mapping[str, str]) -> str:
    """Return sections alone, for a page that has a frame of its own.

    Parameters
    ----------
    sections : what to print, headed from the second level on.
    files : as in `to_html`.
    """
    return _template("sections.html.j2").render(sections=sections, links=files)


def policy_of(style: str) -> str:
    """Return what a page may load: pictures, and the one style that it carries."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def _style() -> Markup:
    from markupsafe import Markup

    return Markup(_template("report.css").render())


@cache
def _template(name: str = "page.html.j2") -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("areaeffect.document"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["kind"] = lambda block: type(block).__name__
    environment.tests["long"] = has_long_word
    return environment.get_template(name)


def has_long_word(text: str) -> bool:
    """Tell whether a text has a word without an end, such as a hash, that may break anywhere."""
    return any(len(word) > LONGEST_WORD for word in text.split())


@cache
def blocks_css() -> str:
    """Return the style of sections, for a page that has a frame of its own."""
    return (files("areaeffect.document") / "templates" / "blocks.css").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class SmallResult:
    """What is written: a page, its tables, and what it was made from."""

    document: Document
    tables: tuple[DataTable, ...]
    run: dict[str, Any]


def run_of(plan: dict[str, Any], releases: Sequence[Release], notes: Sequence[str]) -> dict[str, Any]:
    """Return what a result was made from, as run.json has it."""
    return {"plan": plan, "releases": [asdict(r) for r in releases], "notes": list(notes)}


def as_dict(run: dict[str, Any], tables: Sequence[DataTable]) -> dict[str, Any]:
    """Return plain JSON values, numbers as the files have them: what it was made from, its rows."""
    rows = {
        table.name: [{k: rounded_number(v) for k, v in r.items()} for r in table.records()]
        for table in tables
    }
    return {**run, **rows}


def write_small(result: SmallResult, folder: Path, page: str) -> None:
    """Write NAME.csv with its metadata for each table, the page and run.json; whole or not."""

    def write(aside: Path) -> None:
        for table in result.tables:
            write_table(aside / f"{table.name}.csv", table.title, table.columns, table.records())
        files = {table.name: f"{table.name}.csv" for table in result.tables}
        write_text(aside / page, to_html(result.document, files))
        write_text(aside / RUN_FILE, json_text(result.run, indent=1))

    write_whole(folder, write)
