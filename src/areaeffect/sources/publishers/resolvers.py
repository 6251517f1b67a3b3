"""The ways to get a publisher's file, each a function that brings it whole into a part file."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.answers import LARGE, Ask, MovedError, NotReadyError
from areaeffect.sources.publishers.releases import By
from areaeffect.sources.publishers.transport import SMALL, make_room, read_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from areaeffect.sources.publishers.releases import Origin, PublishedRelease, ReleaseFile
    from areaeffect.sources.publishers.transport import Client, Progress

_HUB = "https://open-geography-portalx-ons.hub.arcgis.com/api/download/v1/items"
_SERVICES = "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"
_FORMATS = {".csv": "csv", ".gpkg": "geoPackage"}
#: Rows of an answer of Nomis without a key; features and table rows of one of ArcGIS.
_NOMIS_PAGE, _FEATURES_PAGE, _ROWS_PAGE = 25_000, 2_000, 1_000
#: Asks for a file that the portal is still making, and the longest pause between two.
_POLLS, _LONGEST_POLL = 30, 20.0


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that has arrived.

    Parameters
    ----------
    address : where it came from in the end.
    part : where it is.
    suffix : how its name ends, where that is not the release's own ending.
    """

    address: str
    part: Path
    suffix: str


@dataclass(frozen=True, slots=True)
class Probe:
    """What an address answers without a download.

    Parameters
    ----------
    address : the one that was asked.
    says : 'bytes' or 'rows' it has, in words.
    matches : whether that is what is on record; None where nothing is.
    """

    address: str
    says: str
    matches: bool | None


def ask_of(release: PublishedRelease, origin: Origin, address: str) -> Ask:
    """Return the question for one address of a release's file."""
    cap = 4 * origin.bytes + SMALL if origin.bytes else LARGE
    return Ask(release.id, address, origin.every_host, origin.seen, release.page, cap)


def bring(
    client: Client, release: PublishedRelease, file: ReleaseFile, part: Path, progress: Progress
) -> Brought:
    """Bring a file into `part` by the way that its release names.

    Raises
    ------
    DataError
        It could not be had. What came is kept for the next call.
    """
    origin = _origin(release, file)
    if origin.by is By.HUB:
        return _bring_from_hub(client, release, file, part, progress)
    if origin.by is By.NOMIS:
        ask = ask_of(release, origin, origin.address)
        _bring_pages(_nomis_pages(client, ask, progress), part, _nomis_total(client, ask), _csv)
        return Brought(origin.address, part, part.suffix)
    moved: MovedError | None = None
    for address in _addresses(client, release, origin):
        try:
            client.save(ask_of(release, origin, address), part, progress)
        except MovedError as error:
            moved = error  # the publisher's own list may know where it is now
        else:
            return Brought(address, part, part.suffix)
    raise moved or AssertionError(release.id)


def probe(client: Client, release: PublishedRelease, file: ReleaseFile) -> Probe:
    """Ask whether a file is where its release says, without a download.

    Raises
    ------
    DataError
        It is not.
    """
    origin = _origin(release, file)
    if origin.by is By.NOMIS:
        total = _nomis_total(client, ask_of(release, origin, origin.address))()
        return Probe(origin.address, f"{total:,} rows", _same(total, file.rows))
    if origin.by is By.HUB and origin.service:
        ask = ask_of(release, origin, f"{_SERVICES}/{origin.service}/FeatureServer/0")
        total = _count(client, ask)
        return Probe(ask.address, f"{total:,} rows", _same(total, file.rows))
    if origin.by is By.HUB:
        address = f"{_HUB}/{origin.item}/{_FORMATS[_suffix(file)]}?layers=0"
        client.length(ask_of(release, origin, address))
        return Probe(address, "it answers", None)
    *_, address = _addresses(client, release, origin)
    length = client.length(ask_of(release, origin, address))
    known = origin.bytes if origin.sha256 else 0
    return Probe(address, f"{length:,} bytes" if length else "it answers", _same(length, known))


def _same(found: int, expected: int) -> bool | None:
    return found == expected if found and expected else None


def _origin(release: PublishedRelease, file: ReleaseFile) -> Origin:
    if file.origin is None:
        raise AssertionError(release.id)  # only releases with an address are asked for
    return file.origin


def _suffix(file: ReleaseFile) -> str:
    return f".{file.path.rpartition('.')[2]}"


def _addresses(client: Client, release: PublishedRelease, origin: Origin) -> Iterator[str]:
    """Return where a file may be: its own address, then the one that the publisher lists."""
    if origin.by is By.DIRECT:
        yield origin.address
    elif origin.by is By.GOVUK:
        if origin.address:
            yield origin.address
        yield _listed_on_govuk(client, release, origin)
    elif origin.by is By.ONS:
        yield _listed_by_ons(client, release, origin)
    else:
        raise AssertionError(origin.by)


def _listed_on_govuk(client: Client, release: PublishedRelease, origin: Origin) -> str:
    ask = replace(
        ask_of(release, origin, f"https://www.gov.uk/api/content{origin.page}"), cap=SMALL
    )
    content = client.json(ask)
    listed = _get(ask, content, "details").get("attachments") or []
    names = {str(a.get("url", "")): str(a.get("title", "")) for a in listed if isinstance(a, dict)}
    return _the_one(ask, origin.match, names)


def _listed_by_ons(client: Client, release: PublishedRelease, origin: Origin) -> str:
    ask = replace(ask_of(release, origin, f"{origin.address}/data"), cap=SMALL)
    editions = _get(ask, client.json(ask), "datasets")
    if not editions or not isinstance(editions[0], dict):
        raise DataError(_unlisted(ask, origin.match, []))
    uri = str(editions[0].get("uri", ""))
    one = replace(ask, address=f"https://www.ons.gov.uk{uri}/data")
    files = _get(one, client.json(one), "downloads")
    names = {f"https://www.ons.gov.uk/file?uri={uri}/{f['file']}": "" for f in files if "file" in f}
    return _the_one(one, origin.match, names)


def _get(ask: Ask, content: Any, key: str) -> Any:
    if not isinstance(content, dict) or key not in content:
        raise DataError(
            Problem(
                f"{ask.address} has no '{key}': the publisher changed its interface.",
                ask.name,
                f"Look for the file on {ask.page}.",
            )
        )
    return content[key]


def _the_one(ask: Ask, match: str, names: dict[str, str]) -> str:
    """Return the address that matches by its file name or title, where exactly one does."""
    pattern = re.compile(match, re.IGNORECASE)
    found = [
        a
        for a, title in names.items()
        if pattern.search(a.rpartition("/")[2]) or (title and pattern.search(title))
    ]
    if len(found) != 1:
        raise MovedError(_unlisted(ask, match, [a.rpartition("/")[2] for a in found or names]))
    return found[0]


def _unlisted(ask: Ask, match: str, names: list[str]) -> Problem:
    listed = ", ".join(names[:10]) or "nothing"
    return Problem(
        f"{ask.address} lists no single file named like '{match}'. It lists: {listed}.",
        ask.name,
        f"The publisher renamed it. Look at {ask.page}.",
    )


def _bring_from_hub(
    client: Client, release: PublishedRelease, file: ReleaseFile, part: Path, progress: Progress
) -> Brought:
    origin = _origin(release, file)
    why: DataError | None = None
    if origin.item:
        address = f"{_HUB}/{origin.item}/{_FORMATS[_suffix(file)]}?layers=0"
        ask = ask_of(release, origin, address)
        try:
            _save_when_ready(client, ask, part, progress)
            return Brought(address, part, part.suffix)
        except DataError as error:
            if not origin.service:
                raise
            why = error
            part.unlink(missing_ok=True)
    ask = ask_of(release, origin, f"{_SERVICES}/{origin.service}/FeatureServer/0")
    is_table = part.suffix == ".csv"
    target = part if is_table else part.with_suffix(".geojson")
    try:
        pages = _feature_pages(client, ask, progress, is_table=is_table)
        _bring_pages(pages, target, lambda: _count(client, ask), _table if is_table else _features)
    except DataError as error:
        raise DataError([*(why.problems if why else ()), *error.problems]) from None
    return Brought(ask.address, target, target.suffix)


def _save_when_ready(client: Client, ask: Ask, part: Path, progress: Progress) -> None:
    """Ask until the portal has made the file."""
    pause = client.settings.first_pause
    for _ in range(_POLLS):
        try:
            return client.save(ask, part, progress)
        except NotReadyError:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_POLL * client.settings.first_pause)
    raise MovedError(
        Problem(
            f"{ask.address} still says that the file is being made, after {_POLLS} asks.",
            ask.name,
            "Run the command again later.",
        )
    )


Page = tuple[bytes, int]


def _bring_pages(
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
        record = folder / "pages.json.new"
        record.write_text(json.dumps({"rows": n, "of": counts}), encoding="utf-8")
        record.replace(folder / "pages.json")
    join([(folder / f"{i}").read_bytes() for i in range(len(counts))], part)
    shutil.rmtree(folder)


def _nomis_total(client: Client, ask: Ask) -> Callable[[], int]:
    def total() -> int:
        one = replace(ask, address=f"{ask.address}&RecordLimit=1&RecordOffset=0")
        return _record_count(one, client.small(one))[0]

    return total


def _nomis_pages(client: Client, ask: Ask, progress: Progress) -> Callable[[int, int], Page]:
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
            Problem(
                f"{ask.address} does not answer with rows that say how many there are: '{shown}…'.",
                ask.name,
                "Nomis may be out of order, or a proxy answered in its place. Try again later.",
            )
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


def _count(client: Client, ask: Ask) -> int:
    one = replace(ask, address=f"{ask.address}/query?where=1%3D1&returnCountOnly=true&f=json")
    count = _get(one, client.json(one), "count")
    if not isinstance(count, int) or count < 1:
        raise MovedError(
            Problem(
                f"{one.address} says that it has {count!r} rows.",
                ask.name,
                f"Look for it on {ask.page}.",
            )
        )
    return count


def _feature_pages(
    client: Client, ask: Ask, progress: Progress, *, is_table: bool
) -> Callable[[int, int], Page]:
    limit = _ROWS_PAGE if is_table else _FEATURES_PAGE
    facts: dict[str, Any] = {}

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
        rows = len(_get(one, content, "features"))
        if not 0 < rows <= n - here:  # a page may be shorter than asked: go on by what came
            raise DataError(_uneven(one, here + rows, n, n))
        progress(ask.name, here + rows, n)
        return json.dumps(content, ensure_ascii=False).encode(), rows

    return page


def _csv(pages: list[bytes], part: Path) -> None:
    """Join pages of a CSV under the first header, with one kind of line ending."""
    header, rest = b"", b""
    with part.open("wb") as out:
        for page in pages:
            first, _, rest = page.replace(b"\r\n", b"\n").partition(b"\n")
            if header and first != header:
                raise DataError(Problem("its pages differ in their columns.", part.name))
            out.write(rest if header else first + b"\n" + rest)
            if not rest.endswith(b"\n"):
                out.write(b"\n")
            header = first


def _table(pages: list[bytes], part: Path) -> None:
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


def _features(pages: list[bytes], part: Path) -> None:
    """Join pages of outlines as one GeoJSON file."""
    features = [f for page in pages for f in json.loads(page)["features"]]
    whole = {"type": "FeatureCollection", "features": features}
    part.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
