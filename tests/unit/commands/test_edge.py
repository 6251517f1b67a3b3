"""The command's edge: every fault is one message and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from areaeffect import cli
from areaeffect.errors import DataError, Problem, StudyError, explained
from tests.shared.small_study import write_small_study
from tests.unit.commands.conftest import RunHere

FULL = Path("/dev/full")


def _command(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    code = "from areaeffect.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, text=True, check=False, **{"capture_output": True, **options})


@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 2, "no space left on device."),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/out/a"), 2, "/out/a: read-only file"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), 3, "a.csv: permission denied"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000), 3, "xx … xx"),
        (MemoryError(), 3, "there is not enough memory."),
        (RecursionError("maximum recursion depth exceeded"), 3, "something is nested too deeply."),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 3, "a text cannot be"),
        (KeyError("rows\nof a file"), 3, "this cannot be done (KeyError: 'rows\\nof a file')."),
        (StudyError(Problem("the key is wrong.")), 2, "the key is wrong."),
    ],
)
def test_every_fault_becomes_a_message_and_a_code(fault: Exception, code: int, text: str) -> None:
    found = explained(fault)
    assert found.exit_code == code
    assert text in str(found)
    assert len(str(found)) < 500


def test_any_fault_inside_a_command_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == DataError.exit_code
    said = capsys.readouterr().err
    assert said.startswith("this cannot be done (ZeroDivisionError")
    assert "Traceback" not in said
    monkeypatch.setenv("AREAEFFECT_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = " + "[" * 5000, "lists or tables are nested too deeply"),
        ("a = " + "9" * 5000, "a number has thousands of digits"),
        ("a = \x00", "not valid TOML"),
        ("[study]\ntitle = '''\n[" + " " * 20_000 + "\n'''\n", "'source' is missing"),
    ],
)
def test_a_hostile_study_file_is_refused(tmp_path: Path, text: str, fault: str, run_here: RunHere) -> None:
    (tmp_path / "study.toml").write_text(text)
    done = run_here("check", tmp_path / "study.toml")
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert fault in done.err


def test_paths_that_are_too_long_are_refused(tmp_path: Path, run_here: RunHere) -> None:
    study = write_small_study(tmp_path)
    done = run_here("evaluate", study, "--out", tmp_path / ("x" * 5000))
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert "file name too long" in done.err
    study.write_text(study.read_text().replace("crime.csv", f"{'x' * 5000}.csv"))
    done = run_here("check", study)
    assert (done.code, "Traceback" in done.err) == (3, False)
    assert "file name too long" in done.err


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_an_output_that_takes_no_more_is_said(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        done = _command("init", tmp_path / "new", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("no space left on device.")


def test_a_reader_who_leaves_early_is_no_fault(tmp_path: Path) -> None:
    code = "from areaeffect.cli import main; main()"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code, "init", str(tmp_path / "new")],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
