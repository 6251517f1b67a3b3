from __future__ import annotations

import os
from pathlib import Path

import pytest

from areaeffect.disk import ASIDE, lock, locked, write_file


def test_a_file_is_the_earlier_one_or_the_whole_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.json"
    write_file(path, "before")

    def cut(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", cut)
        with pytest.raises(OSError, match="No space"):
            write_file(path, "after, and longer")
    assert path.read_text() == "before"
    assert len(list(tmp_path.glob(ASIDE))) == 1
    write_file(path, "after")
    assert path.read_text() == "after"
    assert not list(tmp_path.glob(ASIDE))


def test_one_lock_is_held_at_a_time_and_given_back(tmp_path: Path) -> None:
    with locked(tmp_path, ValueError("busy")):
        assert lock(tmp_path, wait=False) is None
        with pytest.raises(ValueError, match="busy"), locked(tmp_path, ValueError("busy")):
            pass
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    handle = lock(tmp_path, wait=False)
    assert handle is not None
    os.close(handle)
