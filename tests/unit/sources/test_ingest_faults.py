"""Killed, crowded and out of space: the store is the old one or the new one, never between."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from areaeffect.errors import DataError
from areaeffect.sources.police_uk.ingest import ingest_police_uk
from areaeffect.sources.police_uk.lake import open_lake, writing
from tests.shared.street_files import ASB, month_of, pack, put, street

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.process import BaseProcess

SEED = 20231219
#: Bytes that go through the engine at once: small, so that reading and engine overlap many times.
BATCH = 60_000
#: Begins processes with everything imported, so that kills hit the work and not the start.
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["areaeffect.sources.police_uk.ingest", "pyarrow.parquet"])
#: Ingests one zip after saying that it begins.
PROGRAM = """
from areaeffect.sources.police_uk import ingest
ingest.BATCH_BYTES = batch
told.send("go")
ingest.ingest_police_uk([archive], store)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three months of two forces, with rejected rows."""
    return make_archive(tmp_path_factory.mktemp("archive") / "all.zip", 300)


def make_archive(path: Path, n_rows: int) -> Path:
    months = {
        f"2023-{m:02d}/2023-{m:02d}-{force}-street.csv": month_of(f"2023-{m:02d}", n_rows) + b"too,short\n"
        for m in range(1, 4)
        for force in ("cleveland", "durham")
    }
    return pack(path, months)


@pytest.fixture(scope="module")
def undisturbed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that nothing happened to; it held an earlier release of one month."""
    store = tmp_path_factory.mktemp("undisturbed") / "store"
    begin(store)
    ingest_police_uk([archive], store)
    return store


def begin(store: Path) -> None:
    put(store.parent, street(ASB))
    ingest_police_uk([store.parent / "2023-01-cleveland-street.csv"], store)


def start(archive: Path, store: Path) -> BaseProcess:
    hears, told = SERVER.Pipe(duplex=False)
    names = {"archive": archive, "store": store, "told": told, "batch": BATCH}
    process = SERVER.Process(target=exec, args=(PROGRAM, names))
    process.start()
    told.close()
    assert hears.recv() == "go"
    return process


def contents(store: Path) -> dict[str, bytes]:
    files = (p for p in store.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in files}


def test_killed_at_thirty_moments_and_started_again_the_store_is_the_same(
    archive: Path, undisturbed: Path, tmp_path: Path
) -> None:
    draw = random.Random(SEED)
    times, finished = 30, 0
    timed = tmp_path / "timed" / "store"
    timed.parent.mkdir()
    begin(timed)
    before, after = contents(timed), contents(undisturbed)
    process = start(archive, timed)
    began = time.monotonic()
    process.join(60)
    length = time.monotonic() - began
    assert contents(timed) == after
    for number in range(times):
        store = tmp_path / str(number) / "store"
        store.parent.mkdir()
        begin(store)
        process = start(archive, store)
        time.sleep(draw.uniform(0, 1.1 * length))
        process.kill()
        process.join(60)
        open_lake(store)
        shown = {k: v for k, v in contents(store).items() if not k.startswith(".")}
        assert shown in (before, after)
        finished += shown != before
        ingest_police_uk([archive], store)
        assert contents(store) == after
    assert finished < times


def test_of_two_ingests_at_once_one_is_refused_clearly(
    archive: Path, undisturbed: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    begin(store)
    with writing(store), pytest.raises(DataError, match="another program is writing"):
        ingest_police_uk([archive], store)
    process = start(archive, store)
    refused = False
    while process.is_alive():
        try:
            with writing(store):
                time.sleep(0.01)  # held before the other began, or after it ended
        except DataError:
            refused = True
    process.join(60)
    ingest_police_uk([archive], store)
    assert contents(store) == contents(undisturbed)
    assert refused or process.exitcode == 1


def test_interrupted_the_store_is_as_it_was(archive: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    begin(store)
    before = contents(store)

    def interrupt(_step: str, done: int, _of: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_police_uk([archive], store, interrupt)
    assert contents(store) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        # Also in CI: a runner without that right can lend it to no test.
        pytest.skip("This needs the right to mount a tmpfs of one megabyte.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(small_disk: Path, tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "all.zip", 4000)
    store = small_disk / "store"
    begin(store)
    before = contents(store)
    with pytest.raises(DataError, match="the disk is full"):
        ingest_police_uk([archive], store)
    assert contents(store) == before
    ingest_police_uk([small_disk / "2023-01-cleveland-street.csv"], store)
