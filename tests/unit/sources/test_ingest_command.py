"""The commands of the store, as a shell sees them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from areaeffect import cli
from tests.shared.street_files import ASB, NAME, crime, put, street


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["areaeffect", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), printed.out, printed.err


def test_ingest_prints_its_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, street(ASB, crime(), "too,short"))
    words = ("ingest", "police-uk", path, "--store", tmp_path / "store", "--json")
    code, out, _ = run(capsys, *words)
    first = json.loads(out)
    keys = ("rows_read", "rows_kept", "rows_rejected", "files", "months", "forces")
    assert (code, [first[k] for k in keys]) == (0, [3, 2, 1, 1, 1, 1])
    code, out, _ = run(capsys, *words)
    assert json.loads(out) == first | {"files_new": 0}


def test_ingest_says_what_was_rejected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, street(ASB, "too,short"))
    code, out, _ = run(capsys, "ingest", "police-uk", path, "--store", tmp_path / "store")
    assert code == 0
    assert "2 rows read: 1 kept, 1 rejected" in out
    assert "1  the row has too few fields" in out


def test_wrong_data_end_with_3_and_a_wrong_command_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(tmp_path, b"")
    code, _, err = run(capsys, "ingest", "police-uk", path, "--store", tmp_path / "store")
    assert (code, err.splitlines()[-1]) == (3, f"{NAME}: the file is empty. Download it again.")
    code, _, err = run(capsys, "ingest", "police-uk", tmp_path / "no", "--store", tmp_path / "s")
    assert code == 2
    assert "there is no such file or folder" in err


def test_a_store_of_another_format_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, street(ASB))
    put(tmp_path / "store", b'{"areaeffect_store": 99}', "format.json")
    code, _, err = run(capsys, "ingest", "police-uk", path, "--store", tmp_path / "store")
    assert (code, "format 99" in err) == (3, True)


def test_where_sources_and_remove(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    run(capsys, "ingest", "police-uk", put(tmp_path, street(ASB)), "--store", store)
    assert run(capsys, "store", "where", "--store", store)[1].strip() == str(store)
    code, out, _ = run(capsys, "sources", "--store", store)
    assert (code, "police_uk  cleveland  2023-01" in out) == (0, True)
    code, out, _ = run(capsys, "sources", "--store", store, "--json")
    assert json.loads(out)["coverage"][0]["status"] == "complete"
    assert run(capsys, "store", "remove", "--store", store)[1] == f"removed {store}\n"
    assert not store.exists()
    code, out, _ = run(capsys, "sources", "--store", store)
    assert (code, "there is none yet" in out) == (0, True)


def test_the_store_is_checked_file_by_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    run(capsys, "ingest", "police-uk", put(tmp_path, street(ASB, "too,short")), "--store", store)
    code, out, _ = run(capsys, "store", "check", "--store", store)
    assert (code, out) == (0, "3 files with 3 rows: every one as the manifest lists it.\n")
    counts = store / "police_uk" / "counts" / "month=2023-01" / "part.parquet"
    counts.unlink()
    code, _, err = run(capsys, "store", "check", "--store", store)
    assert (code, "a file of the store is gone" in err) == (3, True)
    code, _, err = run(capsys, "ingest", "police-uk", put(tmp_path, street(ASB)), "--store", store)
    assert (code, "is gone" in err) == (3, True)  # nothing is added to a damaged store
