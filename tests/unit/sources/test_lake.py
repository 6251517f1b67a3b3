"""The store: whole or not at all, one writer, its own format only."""

from __future__ import annotations

import fcntl
import json
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from areaeffect.disk import store_path
from areaeffect.errors import DataError, StudyError
from areaeffect.sources.police_uk import lake
from areaeffect.sources.police_uk.lake import Transaction, check_store, open_lake, remove_store, writing

A, B, C = (f"police_uk/counts/month=2023-0{i}/part.parquet" for i in (1, 2, 3))


def put(path: Path, text: str) -> None:
    """Write a Parquet file of one row."""
    pq.write_table(pa.table({"text": [text]}), path)


def held(path: Path) -> str:
    return str(pq.read_table(path, partitioning=None)["text"][0])


class PowerCutError(BaseException):
    """The machine stops: no `except Exception` sees it."""


def change(store: Path) -> None:
    """Add, change and remove a file in one transaction."""
    with writing(store) as transaction:
        put(transaction.new_file(A), "changed")
        put(transaction.new_file(C), "new")
        transaction.remove(B)
        transaction.write_manifest([{"file": "x"}])
        transaction.commit()


def begin(store: Path) -> Path:
    with writing(store) as transaction:
        put(transaction.new_file(A), "old")
        put(transaction.new_file(B), "old")
        transaction.write_manifest([])
        transaction.commit()
    return store


def contents(store: Path) -> dict[str, str]:
    """What is in each file; of the manifest and the format, whether they are as written."""
    files = [p for p in store.rglob("*") if p.is_file() and p.name != ".lock"]
    return {
        p.relative_to(store).as_posix(): held(p) if p.suffix == ".parquet" else p.read_text() for p in files
    }


def test_nothing_shows_until_commit(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    before = contents(store)
    with writing(store) as transaction:
        put(transaction.new_file(A), "changed")
        transaction.remove(B)
        assert transaction.current(A) != store / A
        assert transaction.current(B) is None
        assert held(store / A) == "old"
    assert contents(store) == before


def test_a_commit_adds_changes_and_removes(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    change(store)
    after = contents(store)
    assert set(after) == {A, C, "manifest.jsonl", "format.json"}
    assert (after[A], after[C]) == ("changed", "new")
    assert open_lake(store).manifest() == [{"file": "x"}]
    assert open_lake(store).names("police_uk") == [A, C]
    assert check_store(open_lake(store)).rows == 2


def file_operations(monkeypatch: pytest.MonkeyPatch, stop_at: int | None) -> list[str]:
    """Count every operation that changes the disk; stop the machine before number `stop_at`."""
    seen: list[str] = []

    def watched(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def operation(*args: Any, **kwargs: Any) -> Any:
            if len(seen) == stop_at:
                raise PowerCutError
            seen.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, operation)

    for owner, name in [
        (Path, "write_text"),
        (Path, "write_bytes"),
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "mkdir"),
        (os, "fsync"),
    ]:
        watched(owner, name)
    return seen


def test_cut_off_at_any_operation_the_store_is_old_or_new(tmp_path: Path) -> None:
    old = contents(begin(tmp_path / "old"))
    change(begin(tmp_path / "new"))
    new = contents(tmp_path / "new")
    begin(tmp_path / "counted")
    with pytest.MonkeyPatch.context() as patch:
        operations = file_operations(patch, None)
        change(tmp_path / "counted")
        n = len(operations)
    assert n > 15
    found = set()
    for stop in range(n):
        store = begin(tmp_path / str(stop))
        with pytest.MonkeyPatch.context() as patch:
            file_operations(patch, stop)
            with pytest.raises(PowerCutError):
                change(store)
        open_lake(store)  # a reader finishes what was committed
        after = {k: v for k, v in contents(store).items() if not k.startswith(".")}
        assert after in (old, new)
        found.add(after == new)
        change(store)  # the next writer cleans up
        assert contents(store) == new
    assert found == {False, True}


def test_cut_off_while_finishing_it_is_finished_by_the_next(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake, "_finish", lambda _root: None)
        change(store)
    assert held(store / A) == "old"
    with pytest.MonkeyPatch.context() as patch:
        file_operations(patch, 2)
        with pytest.raises(PowerCutError):
            open_lake(store)
    open_lake(store)
    assert held(store / A) == "changed"
    assert not (store / ".journal.json").exists()


def test_two_writers_at_once_are_refused(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with writing(store), pytest.raises(DataError, match="another program is writing"):
        change(store)
    change(store)


def test_a_reader_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with writing(store) as transaction:
        put(transaction.new_file(A), "changed")
        assert open_lake(store).manifest() == []


def test_the_lock_of_a_dead_program_does_not_hold(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with (store / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    change(store)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"areaeffect_store": 1}', "of format 1"),
        ('{"areaeffect_store": "x"}', "of an unknown format"),
        ("[]", "of an unknown format"),
        ("{", "of an unknown format"),
    ],
)
def test_a_store_of_another_format_is_refused(tmp_path: Path, text: str, said: str) -> None:
    store = begin(tmp_path / "store")
    (store / "format.json").write_text(text)
    with pytest.raises(DataError, match=said) as caught:
        open_lake(store)
    assert caught.value.exit_code == 3
    with pytest.raises(DataError, match=said):
        change(store)


def test_atlases_may_be_there_before_the_first_ingest(tmp_path: Path) -> None:
    (tmp_path / "store" / "atlases" / "county").mkdir(parents=True)

    change(tmp_path / "store")

    assert open_lake(tmp_path / "store")
    assert remove_store(tmp_path / "store")


def test_a_folder_of_something_else_is_neither_written_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    for use in (change, remove_store):
        with pytest.raises(StudyError, match="the folder is not a store"):
            use(tmp_path)
    assert contents(tmp_path) == {"thesis.txt": "x"}


def test_a_store_with_a_foreign_file_is_not_removed(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    (store / "thesis.txt").write_text("x")
    with pytest.raises(StudyError, match=r"thesis\.txt"):
        remove_store(store)


def test_a_store_is_removed_whole(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    assert remove_store(store)
    assert not store.exists()
    assert not remove_store(store)


def test_a_file_is_not_a_store(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("x")
    with pytest.raises(StudyError, match=re.escape("this is a file, not a store")):
        change(tmp_path / "store")


def test_reading_no_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="areaeffect ingest"):
        open_lake(tmp_path / "store")


def test_the_store_is_named_then_from_the_variable_then_the_users(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AREAEFFECT_STORE", str(tmp_path / "a"))
    assert store_path(tmp_path / "b") == tmp_path / "b"
    assert store_path(None) == tmp_path / "a"
    monkeypatch.delenv("AREAEFFECT_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "c"))
    assert store_path(None) == tmp_path / "c" / "areaeffect" / "store"


def test_a_journal_names_only_files_of_the_store(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake, "_finish", lambda _root: None)
        change(store)
    journal = json.loads((store / ".journal.json").read_text())
    assert journal == {"put": sorted([A, C, "format.json", "manifest.jsonl"]), "remove": [B]}


def test_a_transaction_lists_what_it_would_leave(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    with writing(store) as transaction:
        assert isinstance(transaction, Transaction)
        transaction.remove(A)
        assert transaction.current(A) is None
        put(transaction.new_file(A), "again")
        assert transaction.current(A) is not None
        transaction.commit()
    assert held(store / A) == "again"


@pytest.mark.parametrize("text", ['{"file": "a"}\n{"file": \n', ""])
def test_a_damaged_manifest_is_said(tmp_path: Path, text: str) -> None:
    store = begin(tmp_path / "store")
    (store / "manifest.jsonl").write_text(text)
    with pytest.raises(DataError, match=r"manifest.jsonl: the manifest is (damaged|gone)"):
        open_lake(store).manifest()


def test_a_stored_file_that_is_gone_or_changed_is_refused(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    (store / A).unlink()
    put(store / B, "odd")
    with pytest.raises(DataError, match="a file of the store is gone"):
        open_lake(store).verified(A)
    with pytest.raises(DataError, match="is not what the manifest lists"):
        open_lake(store).verified(B)
    with pytest.raises(DataError) as caught:
        check_store(open_lake(store))
    assert len(caught.value.problems) == 2


def test_a_file_that_is_not_of_the_store_is_named_and_not_read(tmp_path: Path) -> None:
    store = begin(tmp_path / "store")
    stranger = store / C
    stranger.parent.mkdir(parents=True)
    put(stranger, "x")
    assert check_store(open_lake(store)).unlisted == (C,)
    assert open_lake(store).names("police_uk") == [A, B]


@pytest.mark.parametrize(
    "journal",
    [
        '{"put": [], "remove": ["../victim.txt"]}',
        '{"put": ["../victim.txt"], "remove": []}',
        '{"put": [], "remove": ["police_uk/../../victim.txt"]}',
        '{"put": [], "remove": ["/etc/victim.txt"]}',
        '{"put": [], "remove": ["web/runs"]}',
        '{"put": 3',
        "[]",
    ],
)
def test_a_journal_that_reaches_outside_the_store_changes_nothing(tmp_path: Path, journal: str) -> None:
    store = begin(tmp_path / "store")
    (tmp_path / "victim.txt").write_text("mine")
    (store / ".journal.json").write_text(journal)
    with pytest.raises(DataError, match="journal"):
        open_lake(store)
    assert (tmp_path / "victim.txt").read_text() == "mine"
