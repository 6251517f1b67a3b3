"""An I/O error at any read or write of `evaluate`: nothing lost, nothing half, one message.

As SQLite tests itself: the first operation fails in one run, the second in the next, and so on
until a run has no more. `make soak` fails every one; here some of each kind are failed.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from areaeffect.document.folders import refuse_foreign
from areaeffect.errors import DataError, StudyError
from tests.shared.small_study import edit, write_small_study

pytestmark = pytest.mark.slow

#: Of every so many operations one fails; 1 in `make soak`.
EVERY = int(os.environ.get("AREAEFFECT_IO_EVERY", "0"))
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(["areaeffect.commands.evaluate", "areaeffect.cli", "geopandas"])
#: Runs the command as a person does, in which the operation of a number fails. Counted are the
#: files of this test that are opened to read or to write, moved, made, removed, listed and synced,
#: and the bytes written to them. A program as text, since a process that the server starts need
#: not find this module.
RUN = """
import errno, io, os, sys
from contextlib import redirect_stderr, redirect_stdout
seen, kinds, synced, wrote = 0, [], os.fsync, os.write

def count(kind, name):
    global seen
    seen += 1
    kinds.append((kind, os.path.basename(str(name))))
    if seen == number:
        raise OSError(code, os.strerror(code), str(name) if named else None)

def watch(event, given):
    path = str(given[0]) if given else ""
    if root not in path or path.endswith((".pyc", ".py")):
        return
    if event == "open":
        flags = given[2] if isinstance(given[2], int) else 0
        count("write" if flags & (os.O_WRONLY | os.O_RDWR) else "read", path)
    elif event in {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.scandir", "os.listdir"}:
        count(event, path)

def fsync(handle):
    count("sync", handle)
    synced(handle)

os.fsync = fsync
sys.addaudithook(watch)
from areaeffect.cli import main
sys.argv = ["areaeffect", "evaluate", study, "--out", out, "--threads", "1"]
said, left = io.StringIO(), 0
with redirect_stdout(io.StringIO()), redirect_stderr(said):
    try:
        main()
    except SystemExit as error:
        left = error.code or 0
told.send((left, said.getvalue(), seen, kinds))
"""


def run(
    study: Path, out: Path, number: int = 0, code: int = errno.EIO, *, named: bool = True
) -> tuple[int, str, int, list[tuple[str, str]]]:
    """Evaluate in a process of its own; return exit code, what was said, and the operations."""
    hears, told = SERVER.Pipe(duplex=False)
    given: dict[str, Any] = {
        "study": str(study), "out": str(out), "number": number, "code": code, "named": named,
        "root": str(out.parent), "told": told,
    }  # fmt: skip
    process = SERVER.Process(target=exec, args=(RUN, given))
    process.start()
    told.close()
    found: tuple[int, str, int, list[tuple[str, str]]] = hears.recv()
    process.join(60)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    if not folder.exists():
        return {}
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_small_study(tmp_path_factory.mktemp("whole"))
    edit(path, "placebos = 39", "placebos = 39\nchecks = false")
    return path


@pytest.fixture(scope="module")
def earlier(study: Path) -> tuple[dict[str, bytes], int, list[tuple[str, str]]]:
    """Results of the study with another title, and the operations of evaluating it once more."""
    out = study.parent / "out"
    title = study.read_text()
    study.write_text(title.replace("A tiny study", "An earlier study"))
    assert run(study, out)[0] == 0
    before = contents(out)
    study.write_text(title)
    shutil.copytree(out, study.parent / "kept")
    left, said, seen, kinds = run(study, out)
    assert (left, "Traceback" in said) == (0, False)
    assert contents(out) != before
    shutil.rmtree(out)
    return before, seen, kinds


def chosen(kinds: list[tuple[str, str]]) -> list[int]:
    """Return the numbers of the operations to fail: all in `make soak`, else some of each kind."""
    if EVERY:
        return list(range(1, len(kinds) + 1, EVERY))
    of_kind: dict[str, list[int]] = {}
    for number, (kind, _) in enumerate(kinds, 1):
        of_kind.setdefault(kind, []).append(number)
    middle = [numbers[len(numbers) // 2] for numbers in of_kind.values()]
    return sorted({*middle, of_kind["write"][-1], of_kind["os.rename"][-1]})


def test_an_error_at_any_operation_loses_nothing_and_leaves_nothing_half(
    study: Path, earlier: tuple[dict[str, bytes], int, list[tuple[str, str]]]
) -> None:
    before, _, kinds = earlier
    assert {"read", "write", "sync", "os.rename", "os.mkdir"} <= {k for k, _ in kinds}
    folder = study.parent
    inputs = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    for number in chosen(kinds):
        place = folder / "at" / str(number)
        out = place / "out"
        place.mkdir(parents=True)
        for name, content in inputs.items():
            (place / name).write_bytes(content)
        shutil.copytree(folder / "kept", out)
        code = (errno.EIO, errno.ENOSPC)[number % 2]
        left, said, seen, _ = run(place / study.name, out, number, code, named=number % 3 > 0)
        where = (number, kinds[number - 1], left, said)
        assert seen >= number, where
        assert "Traceback" not in said, where
        assert {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()} == inputs, where
        is_old = contents(out) == before
        refuse_foreign(out)  # whole by its own list, old or new
        if left == 0:  # what failed was only cleaned up, or could be done without
            assert not is_old, where
        else:
            assert left in (StudyError.exit_code, DataError.exit_code), where
            assert is_old, where
            assert said.strip(), where
            assert len([s for s in said.splitlines() if os.strerror(code).lower() in s]) <= 1, where
        is_cleaned = {p.name for p in place.iterdir()} == {*inputs, "out"}
        kind, name = kinds[number - 1]
        is_cleaning = kind in {"os.rmdir", "os.remove", "os.scandir"} or name.startswith(".out.")
        assert is_cleaned or is_cleaning, where  # where cleaning itself failed, the next run cleans
        if EVERY or number % 4 == 0 or not is_cleaned:  # the same command goes through afterwards
            assert run(place / study.name, out)[0] == 0, where
        assert {p.name for p in place.iterdir()} == {*inputs, "out"}, where
        shutil.rmtree(place)


@pytest.mark.parametrize("n_bytes", [0, 20_000])
def test_a_disk_that_fills_up_leaves_the_earlier_results(
    study: Path, earlier: tuple[dict[str, bytes], int, list[tuple[str, str]]], n_bytes: int
) -> None:
    before, _, _ = earlier
    place = study.parent / "full" / str(n_bytes)
    shutil.copytree(study.parent / "kept", place / "out")
    limited = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({n_bytes}, {n_bytes}))\n"
    )
    hears, told = SERVER.Pipe(duplex=False)
    given: dict[str, Any] = {
        "study": str(study), "out": str(place / "out"), "number": 0, "code": 0, "named": False,
        "root": str(place), "told": told,
    }  # fmt: skip
    process = SERVER.Process(target=exec, args=(limited + RUN, given))
    process.start()
    told.close()
    left, said, _, _ = hears.recv()
    process.join(60)
    assert left == StudyError.exit_code, said
    assert "the results cannot be written: file too large" in said
    assert "Traceback" not in said
    assert contents(place / "out") == before
    assert [p.name for p in place.iterdir()] == ["out"]
