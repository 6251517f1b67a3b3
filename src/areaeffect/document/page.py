"""A document as one HTML file that needs no script, and as tagged PDF through typst."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from areaeffect.document import svg
from areaeffect.document.blocks import Document, Section, figures, in_print, plain
from areaeffect.document.chart_tables import json_text, rounded_number, write_table, write_text
from areaeffect.document.folders import RUN_FILE, write_whole
from areaeffect.records import Column, DataTable, Json

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

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
    run: Json


def run_of(plan: Json, releases: Sequence[Release], notes: Sequence[str]) -> Json:
    """Return what a result was made from, as run.json has it."""
    return {"plan": plan, "releases": [asdict(r) for r in releases], "notes": list(notes)}


def as_dict(run: Json, tables: Sequence[DataTable]) -> Json:
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


TEMPLATE = Path(__file__).parent / "templates" / "report.typ"
STANDARD = "ua-1"  # ISO 14289-1, accessible PDF
FONT = "DejaVu Sans"
FONTS = Path(__file__).parent / "fonts"
PICTURE_WIDTH = 900  # pixels
MOST_BYTES = 300_000
SMALLER = (0.75, 0.5)  # of the width, for pictures that would be larger


def to_pdf(document: Document) -> bytes:
    """Return a document as PDF/UA-1; the same document gives the same bytes.

    Parameters
    ----------
    document : what to print. Charts are drawn with the bundled font, and carry the title and
        description of their SVG as text alternative.
    """
    content = plain(in_print(document))
    _prepare(content)
    files = {"document.json": json.dumps(content).encode()}
    made: bytes = _compile(TEMPLATE.read_bytes(), files)
    return made


def pages(printed: bytes) -> int:
    """Return how many pages a document has that `render` made."""
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def pictures(charts: Sequence[str], width: int = PICTURE_WIDTH) -> list[bytes]:
    """Return SVG charts as PNG, in the same order, each of at most `MOST_BYTES`.

    Parameters
    ----------
    charts : each with a viewBox, as `svg.accessible` writes it. What is too detailed for the size
        of a picture, such as a map, becomes a smaller one.
    width : of the pictures, in pixels.
    """
    made = _pictures(charts, width, 1.0)
    for scale in SMALLER:
        large = [i for i, picture in enumerate(made) if len(picture) > MOST_BYTES]
        again = _pictures([charts[i] for i in large], width, scale)
        for i, picture in zip(large, again, strict=True):
            made[i] = picture
    return made


def _pictures(charts: Sequence[str], width: int, scale: float) -> list[bytes]:
    if not charts:
        return []
    files = {f"{i}.svg": _own_font(chart).encode() for i, chart in enumerate(charts)}
    source = "".join(
        f'#page(width: {width}pt, height: auto, margin: 0pt, fill: white)[#image("{name}", width: 100%)]\n'
        for name in files
    )
    made = _compile(source.encode(), files, format="png", ppi=72.0 * scale)
    return made if isinstance(made, list) else [made]


def _compile(source: bytes, files: dict[str, bytes], **options: Any) -> Any:
    import typst

    if not options:
        options = {"format": "pdf", "pdf_standards": [STANDARD], "timestamp": 0}
    return typst.compile(
        {"main.typ": source, **files}, font_paths=[str(FONTS)], ignore_system_fonts=True, **options
    )


def _prepare(item: Any) -> None:
    """Give every chart the bundled font and its text alternative, in place."""
    if isinstance(item, list):
        for part in item:
            _prepare(part)
    elif isinstance(item, dict):
        if item.get("block") == "Figure":
            item["alt"] = svg.alternative(item["chart"])
            item["narrow"] = 'viewBox="0 0 3' in item["chart"]  # drawn as wide as a phone
            item["chart"] = _own_font(item["chart"])
        else:
            for part in item.values():
                _prepare(part)


def _own_font(chart: str) -> str:
    return re.sub(r'font-family="[^"]*"', f'font-family="{FONT}"', chart, count=1)


FOLDER = "charts"


def write_charts(documents: Sequence[Document], folder: Path) -> None:
    """Write the charts of documents into an existing folder, each name once.

    The CSV holds the rows that were drawn; a chart without rows of its own has none, and its
    numbers are in the table of the result that its figure names.
    """
    shown = list({f.name: f for document in documents for f in figures(document)}.values())
    for figure, picture in zip(shown, pictures([f.chart for f in shown]), strict=True):
        write_text(folder / f"{figure.name}.svg", f"{figure.chart}\n")
        (folder / f"{figure.name}.png").write_bytes(picture)
        if figure.rows:
            rows = [
                {f.name: getattr(row, f.name) for f in fields(row)} if is_dataclass(row) else row
                for row in figure.rows
            ]
            columns = _columns(rows)
            write_table(folder / f"{figure.name}.csv", figure.title, columns, rows)


def _columns(rows: Sequence[Json]) -> tuple[Column, ...]:
    """Return the columns of rows with the narrowest type that holds every value."""
    return tuple(
        Column(name, _datatype([row[name] for row in rows]), name.replace("_", " ")) for name in rows[0]
    )


def _datatype(values: Sequence[Any]) -> str:
    known = [value for value in values if value is not None]
    kinds = (("boolean", bool), ("integer", int), ("number", (int, float)))
    return next(
        (name for name, kind in kinds if known and all(isinstance(v, kind) for v in known)),
        "number" if not known else "string",
    )
