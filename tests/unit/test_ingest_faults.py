"""Killed, crowded and out of space: the store is the old one or the new one, never between."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from areaeffect.errors import DataError
from areaeffect.pipeline.ingest import ingest_police_uk
from areaeffect.store.lake import open_lake, writing
from tests.unit.street_files import ASB, month_of, pack, put, street

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 20231219
#: Ingests one zip after saying that it begins; imports are done before, so kills hit the work.
PROGRAM = """
import sys
from pathlib import Path
import ibis, pyarrow.parquet
from areaeffect.pipeline.ingest import ingest_police_uk
print("go", flush=True)
ingest_police_uk([Path(sys.argv[1])], Path(sys.argv[2]))
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight months of three forces, with rejected rows."""
    months = {
        f"2023-{m:02d}/2023-{m:02d}-{force}-street.csv": month_of(f"2023-{m:02d}", 2000)
        + b"too,short\n"
        for m in range(1, 9)
        for force in ("cleveland", "durham", "northumbria")
    }
    return pack(tmp_path_factory.mktemp("archive") / "all.zip", months)


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


def start(archive: Path, store: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(archive), str(store)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    return process


def contents(store: Path) -> dict[str, bytes]:
    files = (p for p in store.rglob("*") if p.is_file() and p.name != ".lock")
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in files}


def kill_and_repeat(archive: Path, undisturbed: Path, folder: Path, times: int) -> None:
    """Kill an ingest at random moments; start it again each time."""
    draw = random.Random(SEED)
    timed = folder / "timed" / "store"
    timed.parent.mkdir()
    begin(timed)
    before = contents(timed)
    process = start(archive, timed)
    began = time.monotonic()
    process.communicate(timeout=60)
    length = time.monotonic() - began
    assert contents(timed) == contents(undisturbed)
    finished = 0
    for number in range(times):
        store = folder / str(number) / "store"
        store.parent.mkdir()
        begin(store)
        process = start(archive, store)
        time.sleep(draw.uniform(0, 1.1 * length))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        open_lake(store)
        shown = {k: v for k, v in contents(store).items() if not k.startswith(".")}
        assert shown in (before, contents(undisturbed))
        finished += shown != before
        ingest_police_uk([archive], store)
        assert contents(store) == contents(undisturbed)
    assert finished < times


def test_killed_at_a_few_moments_and_started_again_the_store_is_the_same(
    archive: Path, undisturbed: Path, tmp_path: Path
) -> None:
    kill_and_repeat(archive, undisturbed, tmp_path, 5)


@pytest.mark.slow
def test_killed_at_thirty_moments_and_started_again_the_store_is_the_same(
    archive: Path, undisturbed: Path, tmp_path: Path
) -> None:
    kill_and_repeat(archive, undisturbed, tmp_path, 30)


def test_of_two_ingests_at_once_one_is_refused_clearly(
    archive: Path, undisturbed: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    begin(store)
    with writing(store), pytest.raises(DataError, match="another program is writing"):
        ingest_police_uk([archive], store)
    process = start(archive, store)
    refused = False
    while process.poll() is None:
        try:
            with writing(store):
                time.sleep(0.01)  # held before the other began, or after it ended
        except DataError:
            refused = True
    process.communicate(timeout=60)
    ingest_police_uk([archive], store)
    assert contents(store) == contents(undisturbed)
    assert refused or process.returncode == 1


def test_interrupted_the_store_is_as_it_was(archive: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    begin(store)
    before = contents(store)

    def interrupt(_step: str, done: int, _of: int) -> None:
        if done == 7:
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
        pytest.skip("This needs the right to mount a tmpfs of one megabyte.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(
    archive: Path, small_disk: Path
) -> None:
    store = small_disk / "store"
    begin(store)
    before = contents(store)
    with pytest.raises(DataError, match="the disk is full"):
        ingest_police_uk([archive], store)
    assert contents(store) == before
    ingest_police_uk([small_disk / "2023-01-cleveland-street.csv"], store)
