"""The ways to get a publisher's file, each a function that brings it whole into a part file."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.answers import LARGE, Ask, MovedError, NotReadyError, expect
from areaeffect.sources.publishers.paged import (
    bring_pages,
    count,
    feature_pages,
    join_csv,
    join_features,
    join_table,
    nomis_pages,
    nomis_total,
)
from areaeffect.sources.publishers.releases import By, Origin, PublishedRelease, ReleaseFile
from areaeffect.sources.publishers.transport import SMALL

if TYPE_CHECKING:
    from areaeffect.sources.publishers.transport import Client, Progress

_HUB = "https://open-geography-portalx-ons.hub.arcgis.com/api/download/v1/items"
_SERVICES = "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services"
_FORMATS = {".csv": "csv", ".gpkg": "geoPackage"}
#: Asks for a file that the portal is still making, and the longest pause between two.
_POLLS, _LONGEST_POLL = 30, 20.0


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that has arrived."""

    address: str  # where it came from in the end
    part: Path  # where it is
    suffix: str  # how its name ends, where that is not the release's own ending


@dataclass(frozen=True, slots=True)
class Probe:
    """What an address answers without a download."""

    address: str  # the one that was asked
    says: str  # 'bytes' or 'rows' it has, in words
    matches: bool | None  # whether that is what is on record; None where nothing is.


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
        bring_pages(nomis_pages(client, ask, progress), part, nomis_total(client, ask), join_csv)
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
        total = nomis_total(client, ask_of(release, origin, origin.address))()
        return Probe(origin.address, f"{total:,} rows", _same(total, file.rows))
    if origin.by is By.HUB and origin.service:
        ask = ask_of(release, origin, f"{_SERVICES}/{origin.service}/FeatureServer/0")
        total = count(client, ask)
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
    ask = replace(ask_of(release, origin, f"https://www.gov.uk/api/content{origin.page}"), cap=SMALL)
    content = client.json(ask)
    listed = expect(ask, content, "details").get("attachments") or []
    names = {str(a.get("url", "")): str(a.get("title", "")) for a in listed if isinstance(a, dict)}
    return _the_one(ask, origin.match, names)


def _listed_by_ons(client: Client, release: PublishedRelease, origin: Origin) -> str:
    ask = replace(ask_of(release, origin, f"{origin.address}/data"), cap=SMALL)
    editions = expect(ask, client.json(ask), "datasets")
    if not editions or not isinstance(editions[0], dict):
        raise DataError(_unlisted(ask, origin.match, []))
    uri = str(editions[0].get("uri", ""))
    one = replace(ask, address=f"https://www.ons.gov.uk{uri}/data")
    files = expect(one, client.json(one), "downloads")
    names = {f"https://www.ons.gov.uk/file?uri={uri}/{f['file']}": "" for f in files if "file" in f}
    return _the_one(one, origin.match, names)


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
        pages = feature_pages(client, ask, progress, is_table=is_table)
        bring_pages(pages, target, lambda: count(client, ask), join_table if is_table else join_features)
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
        f"{ask.address} still says that the file is being made, after {_POLLS} asks.",
        ask.name,
        "Run the command again later.",
    )
