"""Files that come in pages: answers of Nomis, and of the portal's FeatureServer."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.disk import write_file
from areaeffect.errors import DataError, Problem
from areaeffect.records import Json
from areaeffect.sources.publishers.answers import Ask, MovedError, expect
from areaeffect.sources.publishers.transport import make_room, read_record

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Client, Progress

#: Rows of an answer of Nomis without a key; features and table rows of one of ArcGIS.
_NOMIS_PAGE, _FEATURES_PAGE, _ROWS_PAGE = 25_000, 2_000, 1_000

Page = tuple[bytes, int]


def bring_pages(
    page: Callable[[int, int], Page],
    part: Path,
    total: Callable[[], int],
    join: Callable[[list[bytes], Path], None],
) -> None:
    """Bring a file that comes in pages; pages that are here are not asked for again.

    Parameters
    ----------
    page : (rows that are here, rows there are) to the next page and its number of rows.
    total : asks how many rows there are.
    join : writes the pages as one file.
    """
    folder = part.with_name(f"{part.name}.pages")
    n, known = total(), read_record(folder / "pages.json")
    if known.get("rows") != n:
        shutil.rmtree(folder, ignore_errors=True)
        known = {"rows": n, "of": []}
    folder.mkdir(parents=True, exist_ok=True)
    counts: list[int] = [int(c) for c in known["of"]]
    while sum(counts) < n:
        content, rows = page(sum(counts), n)
        make_room(folder, len(content), part.name)
        (folder / f"{len(counts)}").write_bytes(content)
        counts.append(rows)
        write_file(folder / "pages.json", json.dumps({"rows": n, "of": counts}))
    join([(folder / f"{i}").read_bytes() for i in range(len(counts))], part)
    shutil.rmtree(folder)


def nomis_total(client: Client, ask: Ask) -> Callable[[], int]:
    """Return what asks how many rows a query of Nomis has."""

    def total() -> int:
        one = replace(ask, address=f"{ask.address}&RecordLimit=1&RecordOffset=0")
        return _record_count(one, client.small(one))[0]

    return total


def nomis_pages(client: Client, ask: Ask, progress: Progress) -> Callable[[int, int], Page]:
    """Return what asks for the next page of a query of Nomis."""

    def page(here: int, n: int) -> Page:
        at = f"&RecordLimit={_NOMIS_PAGE}&RecordOffset={here}"
        one = replace(ask, address=ask.address + at)
        content = client.small(one)
        count, rows = _record_count(one, content)
        if count != n or not 0 < rows <= n - here:
            raise DataError(_uneven(one, here + rows, count, n))
        progress(ask.name, here + rows, n)
        return content, rows

    return page


def _record_count(ask: Ask, content: bytes) -> tuple[int, int]:
    """Return how many rows a query has, by its column RECORD_COUNT, and how many came."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"))))
    header = [h.upper() for h in rows[0]] if rows else []
    if "RECORD_COUNT" not in header or len(rows) < 2:  # noqa: PLR2004
        shown = content[:60].decode("utf-8", "replace")
        raise DataError(
            f"{ask.address} does not answer with rows that say how many there are: '{shown}…'.",
            ask.name,
            "Nomis may be out of order, or a proxy answered in its place. Try again later.",
        )
    counts = {row[header.index("RECORD_COUNT")] for row in rows[1:]}
    if len(counts) != 1 or not (text := counts.pop()).isdigit():
        raise DataError(_uneven(ask, len(rows) - 1, -1, -1))
    return int(text), len(rows) - 1


def _uneven(ask: Ask, here: int, count: int, n: int) -> Problem:
    says = f" It says {count:,} now and said {n:,} before." if count != n else ""
    return Problem(
        f"{ask.address} does not give all its rows: {here:,} came.{says}",
        ask.name,
        "The publisher may be changing the data just now. Run the command again later.",
    )


def count(client: Client, ask: Ask) -> int:
    """Ask how many rows a service has."""
    one = replace(ask, address=f"{ask.address}/query?where=1%3D1&returnCountOnly=true&f=json")
    count = expect(one, client.json(one), "count")
    if not isinstance(count, int) or count < 1:
        raise MovedError(
            f"{one.address} says that it has {count!r} rows.", ask.name, f"Look for it on {ask.page}."
        )
    return count


def feature_pages(
    client: Client, ask: Ask, progress: Progress, *, is_table: bool
) -> Callable[[int, int], Page]:
    """Return what asks for the next page of a service: rows, or outlines as GeoJSON."""
    limit = _ROWS_PAGE if is_table else _FEATURES_PAGE
    facts: Json = {}

    def page(here: int, n: int) -> Page:
        if not facts:
            facts.update(client.json(replace(ask, address=f"{ask.address}?f=json")))
        order = facts.get("objectIdField") or "ObjectId"
        most = min(limit, int(facts.get("maxRecordCount") or limit))
        one = replace(
            ask,
            address=f"{ask.address}/query?where=1%3D1&outFields=*&outSR=4326"
            f"&f={'json' if is_table else 'geojson'}&orderByFields={order}"
            f"&resultOffset={here}&resultRecordCount={most}",
        )
        content = client.json(one)
        rows = len(expect(one, content, "features"))
        if not 0 < rows <= n - here:  # a page may be shorter than asked: go on by what came
            raise DataError(_uneven(one, here + rows, n, n))
        progress(ask.name, here + rows, n)
        return json.dumps(content, ensure_ascii=False).encode(), rows

    return page


def join_csv(pages: list[bytes], part: Path) -> None:
    """Join pages of a CSV under the first header, with one kind of line ending."""
    header, rest = b"", b""
    with part.open("wb") as out:
        for page in pages:
            first, _, rest = page.replace(b"\r\n", b"\n").partition(b"\n")
            if header and first != header:
                raise DataError("its pages differ in their columns.", part.name)
            out.write(rest if header else first + b"\n" + rest)
            if not rest.endswith(b"\n"):
                out.write(b"\n")
            header = first


def join_table(pages: list[bytes], part: Path) -> None:
    """Join pages of table rows as the portal's own CSV."""
    with part.open("w", encoding="utf-8", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for page in pages:
            for feature in json.loads(page)["features"]:
                row = feature["attributes"]
                if writer is None:
                    writer = csv.DictWriter(out, list(row), lineterminator="\n")
                    writer.writeheader()
                writer.writerow(row)


def join_features(pages: list[bytes], part: Path) -> None:
    """Join pages of outlines as one GeoJSON file."""
    features = [f for page in pages for f in json.loads(page)["features"]]
    whole = {"type": "FeatureCollection", "features": features}
    part.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
