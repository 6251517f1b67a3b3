"""The ways to get a publisher's file, each brought whole into a part file, in pages where it must be."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from areaeffect.disk import write_file
from areaeffect.errors import DataError
from areaeffect.sources.publishers.releases import By, Origin, PublishedRelease, ReleaseFile
from areaeffect.sources.publishers.transport import (
    LARGE,
    SMALL,
    Ask,
    MovedError,
    NotReadyError,
    make_room,
    read_record,
)

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Client, Progress

    #: A page as it came, its rows, and all rows there are.
    Page = tuple[bytes, int, int]

_HUB = "https://open-geography-portalx-ons.hub.arcgis.com/api/download/v1/items"
_SERVICES = "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"
_FORMATS = {".csv": "csv", ".gpkg": "geoPackage"}
#: Asks for a file that the portal is still making, and the longest pause between two.
_POLLS, _LONGEST_POLL = 30, 20.0
#: Rows of an answer of Nomis without a key; features and table rows of one of ArcGIS.
_NOMIS_PAGE, _FEATURES_PAGE, _ROWS_PAGE = 25_000, 2_000, 1_000


@dataclass(frozen=True, slots=True)
class Probe:
    """What an address answers without a download."""

    address: str  # the one that was asked
    says: str  # 'bytes' or 'rows' it has, in words
    matches: bool | None  # whether that is what is on record; None where nothing is.


def _under(ask: Ask, content: Any, key: str) -> Any:
    """Return what an interface sends under a key; refuse an answer without it."""
    if not isinstance(content, dict) or key not in content:
        what = f"{ask.address} has no '{key}': the publisher changed its interface."
        raise DataError(what, ask.name, f"Look for the file on {ask.page}.")
    return content[key]


def ask_of(release: PublishedRelease, origin: Origin, address: str) -> Ask:
    """Return the question for one address of a release's file."""
    cap = 4 * origin.bytes + SMALL if origin.bytes else LARGE
    return Ask(
        name=release.id,
        address=address,
        hosts=origin.every_host,
        seen=origin.seen,
        page=release.page,
        cap=cap,
    )


def bring(
    client: Client, release: PublishedRelease, file: ReleaseFile, part: Path, progress: Progress
) -> tuple[str, Path]:
    """Bring a file by the way that its release names; return where it came from in the end, and where it is.

    What came of a file that stops is kept in `part` for the next call.
    """
    origin = _origin(release, file)
    if origin.by is By.HUB:
        return _bring_from_hub(client, release, file, part, progress)
    if origin.by is By.NOMIS:
        ask = ask_of(release, origin, origin.address)
        _, _, n = _nomis_rows(client, ask, 0, 1)
        _bring_pages(ask, lambda here: _nomis_rows(client, ask, here), n, part, _join_csv, progress)
        return origin.address, part
    moved: MovedError | None = None
    for address in _addresses(client, release, origin):
        try:
            client.save(ask_of(release, origin, address), part, progress)
        except MovedError as error:
            moved = error  # the publisher's own list may know where it is now
        else:
            return address, part
    raise moved or AssertionError(release.id)


def probe(client: Client, release: PublishedRelease, file: ReleaseFile) -> Probe:
    """Ask whether a file is where its release says, without a download; raise DataError if not."""
    origin, what = _origin(release, file), "rows"
    if origin.by is By.NOMIS:
        address, known = origin.address, file.rows
        _, _, found = _nomis_rows(client, ask_of(release, origin, address), 0, 1)
    elif origin.by is By.HUB and origin.service:
        address, known = f"{_SERVICES}/{origin.service}/FeatureServer/0", file.rows
        found = _count(client, ask_of(release, origin, address))
    elif origin.by is By.HUB:
        address, found, known = _item(origin, file), 0, 0
        client.length(ask_of(release, origin, address))
    else:
        *_, address = _addresses(client, release, origin)
        found, known, what = client.length(ask_of(release, origin, address)), 0, "bytes"
        known = origin.bytes if origin.sha256 else 0
    says = f"{found:,} {what}" if found else "it answers"
    return Probe(address, says, found == known if found and known else None)


def _origin(release: PublishedRelease, file: ReleaseFile) -> Origin:
    if file.origin is None:
        raise AssertionError(release.id)  # only releases with an address are asked for
    return file.origin


def _item(origin: Origin, file: ReleaseFile) -> str:
    """Return the address of an item of the portal."""
    return f"{_HUB}/{origin.item}/{_FORMATS[Path(file.path).suffix]}?layers=0"


def _addresses(client: Client, release: PublishedRelease, origin: Origin) -> Iterator[str]:
    """Return where a file may be: its own address, then the one that the publisher lists."""
    if origin.by in {By.DIRECT, By.GOVUK} and origin.address:
        yield origin.address
    if origin.by is By.GOVUK:
        at = ask_of(release, origin, f"https://www.gov.uk/api/content{origin.page}")
        listed = _under(at, client.json(at), "details").get("attachments") or []
        names = {str(a.get("url", "")): str(a.get("title", "")) for a in listed if isinstance(a, dict)}
        yield _the_one(at, origin.match, names)
    elif origin.by is By.ONS:
        at = ask_of(release, origin, f"{origin.address}/data")
        editions = _under(at, client.json(at), "datasets")
        if not editions or not isinstance(editions[0], dict):
            yield _the_one(at, origin.match, {})
        uri = str(editions[0].get("uri", ""))
        one = replace(at, address=f"https://www.ons.gov.uk{uri}/data")
        files = _under(one, client.json(one), "downloads")
        names = {f"https://www.ons.gov.uk/file?uri={uri}/{f['file']}": "" for f in files if "file" in f}
        yield _the_one(one, origin.match, names)


def _the_one(ask: Ask, match: str, names: dict[str, str]) -> str:
    """Return the address that matches by its file name or title, where exactly one does."""
    pattern = re.compile(match, re.IGNORECASE)
    found = [
        a
        for a, title in names.items()
        if pattern.search(a.rpartition("/")[2]) or (title and pattern.search(title))
    ]
    if len(found) != 1:
        listed = ", ".join(a.rpartition("/")[2] for a in list(found or names)[:10]) or "nothing"
        what = f"{ask.address} lists no single file named like '{match}'. It lists: {listed}."
        raise MovedError(what, ask.name, f"The publisher renamed it. Look at {ask.page}.")
    return found[0]


def _bring_from_hub(
    client: Client, release: PublishedRelease, file: ReleaseFile, part: Path, progress: Progress
) -> tuple[str, Path]:
    origin = _origin(release, file)
    why: DataError | None = None
    if origin.item:
        ask = ask_of(release, origin, _item(origin, file))
        try:
            _save_when_ready(client, ask, part, progress)
        except DataError as error:
            if not origin.service:
                raise
            why = error
            part.unlink(missing_ok=True)
        else:
            return ask.address, part
    ask = ask_of(release, origin, f"{_SERVICES}/{origin.service}/FeatureServer/0")
    is_table = part.suffix == ".csv"
    target = part if is_table else part.with_suffix(".geojson")
    try:
        n = _count(client, ask)
        facts = client.json(replace(ask, address=f"{ask.address}?f=json"))
        most = _ROWS_PAGE if is_table else _FEATURES_PAGE
        most = min(most, int(facts.get("maxRecordCount") or most))
        query = (
            f"{ask.address}/query?where=1%3D1&outFields=*&outSR=4326&f={'json' if is_table else 'geojson'}"
            f"&orderByFields={facts.get('objectIdField') or 'ObjectId'}&resultRecordCount={most}"
        )

        def page(here: int) -> Page:
            one = replace(ask, address=f"{query}&resultOffset={here}")
            content = client.json(one)
            rows = len(_under(one, content, "features"))  # may be fewer than asked: go on by what came
            return json.dumps(content, ensure_ascii=False).encode(), rows, n

        _bring_pages(ask, page, n, target, _join_table if is_table else _join_features, progress)
    except DataError as error:
        raise DataError([*(why.problems if why else ()), *error.problems]) from None
    return ask.address, target


def _save_when_ready(client: Client, ask: Ask, part: Path, progress: Progress) -> None:
    """Ask until the portal has made the file."""
    pause = client.settings.first_pause
    for _ in range(_POLLS):
        try:
            return client.save(ask, part, progress)
        except NotReadyError:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_POLL * client.settings.first_pause)
    what = f"{ask.address} still says that the file is being made, after {_POLLS} asks."
    raise MovedError(what, ask.name, "Run the command again later.")


def _bring_pages(
    ask: Ask,
    page: Callable[[int], Page],
    n: int,
    part: Path,
    join: Callable[[list[bytes], Path], None],
    progress: Progress,
) -> None:
    """Bring a file of `n` rows in pages from the rows that are here on, and join them."""
    folder = part.with_name(f"{part.name}.pages")
    known = read_record(folder / "pages.json")
    if known.get("rows") != n:
        shutil.rmtree(folder, ignore_errors=True)
        known = {"rows": n, "of": []}
    folder.mkdir(parents=True, exist_ok=True)
    counts: list[int] = [int(c) for c in known["of"]]
    while (here := sum(counts)) < n:
        content, rows, count = page(here)
        if count != n or not 0 < rows <= n - here:
            says = f" It says {count:,} now and said {n:,} before." if count != n else ""
            what = f"{ask.address} does not give all its rows: {here + rows:,} came.{says}"
            fix = "The publisher may be changing the data just now. Run the command again later."
            raise DataError(what, ask.name, fix)
        progress(ask.name, here + rows, n)
        make_room(folder, len(content), part.name)
        (folder / f"{len(counts)}").write_bytes(content)
        counts.append(rows)
        write_file(folder / "pages.json", json.dumps({"rows": n, "of": counts}))
    join([(folder / f"{i}").read_bytes() for i in range(len(counts))], part)
    shutil.rmtree(folder)


def _nomis_rows(client: Client, ask: Ask, here: int, limit: int = _NOMIS_PAGE) -> Page:
    """Return a page of a query of Nomis; its column RECORD_COUNT says how many rows there are."""
    content = client.small(replace(ask, address=f"{ask.address}&RecordLimit={limit}&RecordOffset={here}"))
    header, *rows = [*csv.reader(io.StringIO(content.decode("utf-8-sig", "replace")))] or [[]]
    names = [name.upper() for name in header]
    counts = {row[names.index("RECORD_COUNT")] for row in rows} if "RECORD_COUNT" in names else set()
    if len(counts) != 1 or not (text := counts.pop()).isdigit():
        shown = content[:60].decode("utf-8", "replace")
        what = f"{ask.address} does not answer with rows that say how many there are: '{shown}…'."
        fix = "Nomis may be out of order, or a proxy answered in its place. Try again later."
        raise DataError(what, ask.name, fix)
    return content, len(rows), int(text)


def _count(client: Client, ask: Ask) -> int:
    """Ask how many rows a service has."""
    one = replace(ask, address=f"{ask.address}/query?where=1%3D1&returnCountOnly=true&f=json")
    count = _under(one, client.json(one), "count")
    if not isinstance(count, int) or count < 1:
        raise MovedError(
            f"{one.address} says that it has {count!r} rows.", ask.name, f"Look for it on {ask.page}."
        )
    return count


def _join_csv(pages: list[bytes], part: Path) -> None:
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


def _join_table(pages: list[bytes], part: Path) -> None:
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


def _join_features(pages: list[bytes], part: Path) -> None:
    """Join pages of outlines as one GeoJSON file."""
    features = [f for page in pages for f in json.loads(page)["features"]]
    whole = {"type": "FeatureCollection", "features": features}
    part.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
