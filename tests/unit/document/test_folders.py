"""Results folders: whole or not at all, and never in the place of somebody else's files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from areaeffect.document.folders import MANIFEST, add_listed, prepare, write_again, write_whole
from areaeffect.errors import StudyError


def _quiet(*_: object) -> None:
    pass


def _put(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def _fill(text: str) -> Callable[[Path], None]:
    def write(aside: Path) -> None:
        _put(aside / "run.json", text)
        _put(aside / "data" / "a.csv", text)

    return write


def _contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text()
        for p in folder.rglob("*")
        if p.is_file() and p.name != MANIFEST
    }


def _results(text: str) -> dict[str, str]:
    return {"run.json": text, "data/a.csv": text}


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def fail(aside: Path) -> None:
        _put(aside / "half.txt", "half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "out", fail)
    assert list(tmp_path.iterdir()) == []


def test_earlier_results_are_replaced_as_a_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", lambda aside: _put(aside / "old.csv", "1"))
    write_whole(tmp_path / "out", _fill("2"))
    assert _contents(tmp_path / "out") == _results("2")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_earlier_results(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", _fill("1"))

    def fail(aside: Path) -> None:
        raise RuntimeError(aside.name)

    with pytest.raises(RuntimeError):
        write_whole(tmp_path / "out", fail)
    assert _contents(tmp_path / "out") == _results("1")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_whole(tmp_path / "out", _fill("1"))
    assert _contents(tmp_path / "out") == _results("1")


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda f: _put(f / "thesis.docx", "years of work"), "'thesis.docx', which this program"),
        (lambda f: _put(f / "data" / "b.csv", "mine"), "'data/b.csv', which this program did not"),
        (lambda f: _put(f / "run.json", "mine"), "'run.json', which was changed since"),
        (lambda f: _put(f / MANIFEST, "{}"), "'data/a.csv', which this program did not write"),
        (lambda f: (f / "a link").symlink_to(f / "run.json"), "'a link', which this program"),
        (lambda f: write_whole(f / "kept", _fill("9")), "'kept', which this program did not write"),
    ],
)
def test_a_folder_with_anything_of_somebody_else_is_refused_and_untouched(
    tmp_path: Path, spoil: Callable[[Path], object], named: str
) -> None:
    out = tmp_path / "out"
    write_whole(out, _fill("1"))
    spoil(out)
    before = _contents(out)
    for act in (lambda: write_whole(out, _fill("2")), lambda: prepare(out, _quiet)):
        with pytest.raises(StudyError) as caught:
            act()
        assert str(caught.value).startswith(f"{out}: the folder holds {named}")
        assert "nothing was changed" in str(caught.value)
    assert _contents(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_only_has_a_file_called_run_json_is_refused(tmp_path: Path) -> None:
    _put(tmp_path / "out" / "run.json", "{}")
    with pytest.raises(StudyError, match=r"'run.json', which this program did not write"):
        write_whole(tmp_path / "out", _fill("1"))


def test_somebody_elses_list_of_hashes_does_not_make_a_folder_ours(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_whole(out, _fill("1"))
    listed = json.loads((out / MANIFEST).read_text())["files"]
    (out / MANIFEST).write_text(json.dumps({"files": listed}))
    with pytest.raises(StudyError, match="which this program did not write"):
        write_whole(out, _fill("2"))


def test_a_file_put_there_while_the_results_are_made_is_not_lost(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", _fill("1"))

    def write(aside: Path) -> None:
        _fill("2")(aside)
        _put(tmp_path / "out" / "new.txt", "mine")

    with pytest.raises(StudyError, match=r"'new.txt'"):
        write_whole(tmp_path / "out", write)
    assert _contents(tmp_path / "out") == _results("1") | {"new.txt": "mine"}


@pytest.mark.parametrize("place", ["out", "file/out"])
def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path, place: str) -> None:
    _put(tmp_path / place.split("/", maxsplit=1)[0], "a file")
    with pytest.raises(StudyError, match=r"not a folder|a file is where"):
        prepare(tmp_path / place, _quiet)
    assert [p.name for p in tmp_path.iterdir()] == [place.split("/", maxsplit=1)[0]]


def test_replacing_earlier_results_is_said_and_a_new_folder_is_not(tmp_path: Path) -> None:
    said: list[str] = []
    prepare(tmp_path / "out", lambda step, *_: said.append(step))
    assert said == []
    write_whole(tmp_path / "out", _fill("1"))
    prepare(tmp_path / "out", lambda step, *_: said.append(step))
    assert said == [
        f"{tmp_path / 'out'} holds earlier results: they are replaced once the new ones are whole"
    ]


def test_what_a_killed_run_left_is_cleaned_and_nothing_else(tmp_path: Path) -> None:
    _put(tmp_path / ".out.abcd1234" / "new" / "half.txt", "half")
    _put(tmp_path / ".out.holidays" / "pictures" / "a.jpg", "mine")
    _put(tmp_path / ".out.notes" / "new" / "a.txt", "mine")
    _put(tmp_path / ".other.abcd1234" / "new" / "half.txt", "of another folder")
    write_whole(tmp_path / "out", _fill("1"))
    names = {p.name for p in tmp_path.iterdir()}
    assert names == {"out", ".out.holidays", ".out.notes", ".other.abcd1234"}


def test_the_folder_of_a_run_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    def write(aside: Path) -> None:
        write_whole(tmp_path / "out", _fill("1"))
        assert aside.is_dir()
        _fill("2")(aside)

    write_whole(tmp_path / "out", write)
    assert _contents(tmp_path / "out") == _results("2")


def test_earlier_results_that_a_killed_run_moved_aside_come_back(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", _fill("1"))
    (tmp_path / ".out.abcd1234").mkdir()
    (tmp_path / "out").rename(tmp_path / ".out.abcd1234" / "old")
    prepare(tmp_path / "out", _quiet)
    assert _contents(tmp_path / "out") == _results("1")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_written_again_a_folder_keeps_what_else_lies_in_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_whole(out, _fill("1"))
    _put(out / "notes.txt", "mine")
    write_again(out, lambda f: _put(f / "run.json", "2"), lambda path: path == "run.json")
    assert _contents(out) == _results("1") | {"run.json": "2", "notes.txt": "mine"}
    (out / "notes.txt").unlink()
    write_whole(out, _fill("3"))  # still its own
    _put(out / "mine.html", "mine")
    with pytest.raises(StudyError, match=r"'mine.html'"):
        write_again(out, lambda f: _put(f / "mine.html", "2"), lambda _: False)
    assert (out / "mine.html").read_text() == "mine"


def test_a_file_added_to_results_is_one_of_them(tmp_path: Path) -> None:
    write_whole(tmp_path / "out", _fill("1"))
    (tmp_path / "out" / "branches").mkdir()
    add_listed(tmp_path / "out", "branches/b.json", "{}")
    assert (tmp_path / "out" / "branches" / "b.json").read_text() == "{}"
    write_whole(tmp_path / "out", _fill("2"))
    assert _contents(tmp_path / "out") == _results("2")


# ---------------------------------------------------------------- a disk that fails


@contextmanager
def failing_disk(stop_at: int | None, code: int = errno.ENOSPC) -> Iterator[list[str]]:
    """Count every operation that changes the disk; number `stop_at` fails, half done."""
    seen: list[str] = []

    def watched(patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def operation(*args: Any, **kwargs: Any) -> Any:
            seen.append(name)
            if len(seen) - 1 == stop_at:
                if name == "write_bytes":
                    original(args[0], args[1][: len(args[1]) // 2])
                raise OSError(code, os.strerror(code))
            return original(*args, **kwargs)

        patch.setattr(owner, name, operation)

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (Path, "write_bytes"),
            (Path, "mkdir"),
            (Path, "rename"),
            (Path, "replace"),
            (tempfile, "mkdtemp"),
            (os, "fsync"),
        ):
            watched(patch, owner, name)
        yield seen


def test_whatever_operation_of_the_disk_fails_results_are_old_or_new(tmp_path: Path) -> None:
    def write(aside: Path) -> None:
        (aside / "run.json").write_bytes(b"22")
        (aside / "data").mkdir()
        (aside / "data" / "a.csv").write_bytes(b"22")

    out = tmp_path / "out"
    write_whole(out, _fill("11"))
    with failing_disk(None) as seen:
        write_whole(out, write)
    assert len(seen) > 10
    for code in (errno.ENOSPC, errno.EIO, errno.EACCES):
        for stop in range(len(seen)):
            write_whole(out, _fill("11"))
            with failing_disk(stop, code), pytest.raises(StudyError, match="cannot be written"):
                write_whole(out, write)
            assert _contents(out) == _results("11")
            write_whole(out, write)
            assert _contents(out) == _results("22")
            assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not mount or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_without_room_is_refused_before_the_long_work(small_disk: Path) -> None:
    with pytest.raises(StudyError, match="no space left on device"):
        prepare(small_disk / "out", _quiet)
    assert list(small_disk.iterdir()) == []


def test_a_disk_that_fills_up_leaves_the_earlier_results(small_disk: Path) -> None:
    write_whole(small_disk / "out", _fill("1"))
    with pytest.raises(StudyError, match="no space left on device"):
        write_whole(small_disk / "out", lambda f: _put(f / "run.json", "x" * 3_000_000))
    assert _contents(small_disk / "out") == _results("1")
    assert [p.name for p in small_disk.iterdir()] == ["out"]
