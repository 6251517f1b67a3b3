"""Street-level files in the publisher's layout, made up, whole or damaged in one way."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from areaeffect.sources.police_uk.rows import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEADER_LINE = ",".join(HEADER)
NAME = "2023-01-cleveland-street.csv"
ASB = (
    ",2023-01,Cleveland Police,Cleveland Police,-1.23,54.57,On or near A,E01011949,H 1A,"
    "Anti-social behaviour,,"
)


def crime(
    identity: str = "a1",
    month: str = "2023-01",
    longitude: str = "-1.23",
    latitude: str = "54.57",
    location: str = "On or near A",
    area: str = "E01011949",
    kind: str = "Burglary",
) -> str:
    """Return one row of a street file."""
    police = "Cleveland Police"
    start = f"{identity},{month},{police},{police},{longitude},{latitude},{location}"
    return f"{start},{area},Hartlepool 001A,{kind},Under investigation,"


def street(*rows: str, header: str = HEADER_LINE, end: str = "\n") -> bytes:
    """Return the bytes of a street file."""
    return (end.join([header, *rows]) + end).encode()


def month_of(month: str, n: int, kinds: Iterable[str] = ("Burglary", "Drugs")) -> bytes:
    """Return a sound month with n rows on a few areas."""
    kinds = tuple(kinds)
    return street(
        *(crime(f"{month}-{i}", month, area=f"E0101198{i % 7}", kind=kinds[i % len(kinds)]) for i in range(n))
    )


def put(folder: Path, data: bytes, name: str = NAME) -> Path:
    """Write one file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path
