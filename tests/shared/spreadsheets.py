"""Small OpenDocument spreadsheets for tests, written without a library."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

KIND = "application/vnd.oasis.opendocument.spreadsheet"


def ods(sheets):
    """An OpenDocument spreadsheet with text, numbers and dates in its cells."""
    tables = []
    for name, rows in sheets.items():
        lines = []
        for row in rows:
            lines.append(f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>")
        tables.append(f'<table:table table:name="{name}">{"".join(lines)}</table:table>')
    spaces = " ".join(
        f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces}><office:body>'
        f"<office:spreadsheet>{''.join(tables)}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("mimetype", KIND)
        out.writestr("content.xml", content)
        entries = "".join(
            f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
            for path, kind in (("/", KIND), ("content.xml", "text/xml"))
        )
        space = 'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
        manifest = f"<manifest:manifest {space}>{entries}</manifest:manifest>"
        out.writestr("META-INF/manifest.xml", manifest)
    return made.getvalue()


def _cell(value):
    if isinstance(value, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    if isinstance(value, datetime):
        written = value.isoformat()
        return f'<table:table-cell office:value-type="date" office:date-value="{written}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
