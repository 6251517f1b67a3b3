"""A damaged store never gives other numbers; an I/O error at any write leaves it old or new."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from areaeffect.errors import DataError
from areaeffect.sources.coverage import MeasureRequest
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import check_store, open_lake
from areaeffect.sources.police_uk.panel import read_police
from areaeffect.study.model import PoliceUkSource
from areaeffect.study.parts import Window
from tests.shared.street_files import crime, pack, street

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 20261130
#: Damages that are tried; `make soak` tries 300.
DAMAGES = int(os.environ.get("AREAEFFECT_DAMAGES", "60"))
SPLIT, WHOLE = "E01012064", "E01011980"  # a code of 2011 that was split, and one that stayed
MONTHS = ("2023-01", "2023-02", "2023-03")
WANTED = (MeasureRequest("value", ()), MeasureRequest("value", ("anti-social-behaviour",)))
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["areaeffect.sources.police_uk.ingest", "pyarrow.parquet"])
#: Ingests, and sends what was said and how many operations there were. A program as text, since a
#: process that the server starts need not find this module.
INGEST = """
from areaeffect.errors import DataError
from areaeffect.sources.police_uk.ingest import ingest_police_uk
said = ""
try:
    ingest_police_uk([path], store)
except DataError as error:
    said = str(error)
told.send((said, seen))
"""
#: In which the operation of a number fails, counted over files opened to write, moved, made,
#: removed and synced.
FAILING = """
import errno, os, sys
seen = 0
synced = os.fsync
def count():
    global seen
    seen += 1
    if seen == number:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
def watch(event, given):
    writes = event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir"} or (
        event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
    )
    if writes and store.name in str(given[0]):
        count()
def fsync(handle):
    count()
    synced(handle)
sys.addaudithook(watch)
os.fsync = fsync
"""
#: In which no file may grow over a size: errors in the code of the engines, which no hook sees.
LIMITED = """
import resource, signal
seen = number
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
"""


def archive(path: Path, n_rows: int = 30, months: tuple[str, ...] = MONTHS, n_forces: int = 2) -> Path:
    """Months of forces with a split area, rows without an area, and a rejected row."""
    members = {}
    for month in months:
        for force, area in (("cleveland", WHOLE), ("durham", "E01012304"))[:n_forces]:
            rows = [crime(f"{month}{i}", month, area=area) for i in range(n_rows)]
            rows += [crime(f"s{month}{i}", month, area=SPLIT) for i in range(5)]
            rows += [crime("", month, "", "", area="", kind="Anti-social behaviour"), "too,short"]
            members[f"{month}/{month}-{force}-street.csv"] = street(*rows)
    return pack(path, members)


def numbers(store: Path) -> tuple[Any, ...]:
    """Everything that a study takes from the store."""
    source = PoliceUkSource(kind="police_uk", store=str(store))
    window = Window(start=MONTHS[0], end=MONTHS[-1])
    table = read_police("police", source, store.parent, None, window, WANTED, ())
    return (
        table.areas.tolist(),
        [np.nan_to_num(table.measures[w], nan=-1).tolist() for w in WANTED],
        table.notes,
        [t.rows for t in table.tables],
        (table.release, *table.more_releases),
    )


def contents(store: Path) -> dict[str, bytes]:
    files = {p.relative_to(store).as_posix(): p for p in store.rglob("*") if p.is_file()}
    return {name: p.read_bytes() for name, p in files.items() if not name.startswith(".")}


def flip(path: Path, draw: random.Random, _other: Path) -> None:
    data = bytearray(path.read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def cut(path: Path, draw: random.Random, _other: Path) -> None:
    path.write_bytes(path.read_bytes()[: draw.randrange(path.stat().st_size)])


def blank(path: Path, draw: random.Random, _other: Path) -> None:
    data = bytearray(path.read_bytes())
    start = draw.randrange(len(data))
    data[start : start + 64] = bytes(len(data[start : start + 64]))
    path.write_bytes(data)


def lose(path: Path, _draw: random.Random, _other: Path) -> None:
    path.unlink()


def replace(path: Path, _draw: random.Random, other: Path) -> None:
    shutil.copy(other, path)


#: Single bits are the damage that is hardest to see.
KINDS: tuple[Callable[[Path, random.Random, Path], None], ...] = (*(flip,) * 4, cut, blank, lose, replace)


def test_no_damage_changes_a_number_silently(tmp_path: Path) -> None:
    sound = tmp_path / "sound"
    ingest_police_uk([archive(tmp_path / "all.zip")], sound)
    expected, bytes_of = numbers(sound), contents(sound)
    names, draw = sorted(bytes_of), random.Random(SEED)
    refused = 0
    for number in range(DAMAGES):
        store = tmp_path / "damaged"
        shutil.copytree(sound, store)
        name = names[number % len(names)]
        others = [n for n in names if n != name]
        alike = [n for n in others if n.partition("=")[0] == name.partition("=")[0]]
        KINDS[number % len(KINDS)](store / name, draw, store / draw.choice(alike or others))
        try:
            found = numbers(store)
        except DataError:
            refused += 1
        else:
            assert found == expected, (number, name)
        is_changed = contents(store) != bytes_of
        if is_changed and name != "format.json":  # its white space says nothing
            with pytest.raises(DataError):
                check_store(open_lake(store))
        shutil.rmtree(store)
    assert refused > DAMAGES / 3


def run(fault: str, number: int, path: Path, store: Path) -> tuple[str, int]:
    hears, told = SERVER.Pipe(duplex=False)
    names = {"number": number, "told": told, "path": path, "store": store}
    process = SERVER.Process(target=exec, args=(fault + INGEST, names))
    process.start()
    told.close()
    said, seen = hears.recv()  # EOFError where it ended with anything but a DataError
    process.join(60)
    return str(said), int(seen)


@pytest.fixture
def one_month(tmp_path: Path) -> tuple[Path, Path, dict[str, bytes], dict[str, bytes]]:
    """A small archive, a store before it, and what the store holds before and after."""
    earlier = archive(tmp_path / "earlier.zip", 3, MONTHS[:1], 1)
    path = archive(tmp_path / "later.zip", 20, MONTHS[:1], 1)
    before, after = tmp_path / "before-store", tmp_path / "after-store"
    ingest_police_uk([earlier], before)
    shutil.copytree(before, after)
    ingest_police_uk([path], after)
    return path, before, contents(before), contents(after)


def holds_whole(store: Path, *states: dict[str, bytes]) -> bool:
    """Say whether a store, once opened, is in one of some states."""
    check_store(open_lake(store))
    return contents(store) in states


def test_an_error_at_any_operation_of_ingest_leaves_the_old_store_or_the_new(
    one_month: tuple[Path, Path, dict[str, bytes], dict[str, bytes]], tmp_path: Path
) -> None:
    path, before, old, new = one_month
    number, ends = 0, set()
    while True:
        number += 1
        store = tmp_path / f"store-{number}"
        shutil.copytree(before, store)
        said, seen = run(FAILING, number, path, store)
        if seen < number:
            break  # there are no more operations
        assert holds_whole(store, old, new), number
        ends.add(contents(store) == new)
        ingest_police_uk([path], store)
        assert contents(store) == new
        shutil.rmtree(store)
    assert not said
    assert number > 30
    assert ends == {False, True}


def test_an_error_inside_the_engines_leaves_the_store_as_it_was(
    one_month: tuple[Path, Path, dict[str, bytes], dict[str, bytes]], tmp_path: Path
) -> None:
    path, before, old, new = one_month
    largest = max(map(len, new.values()))
    for n_bytes in (0, 1, 100, 1000, *range(2000, largest, 500)):
        store = tmp_path / "store"
        shutil.copytree(before, store)
        said, _ = run(LIMITED, n_bytes, path, store)
        assert "store" in said
        assert holds_whole(store, old), n_bytes
        ingest_police_uk([path], store)
        assert contents(store) == new
        shutil.rmtree(store)
