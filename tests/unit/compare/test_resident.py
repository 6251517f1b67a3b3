"""The resident process: children, their reports and their end."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from areaeffect.web import resident
from areaeffect.web.resident import CRASH_WORDS, Resident

Told = list[tuple[str, str]]


def lingering(_base: object, order: dict[str, Any], write: int) -> int:
    """Say what the order asks to be said, and take a while to go."""
    os.setsid()
    os.write(write, order["says"])
    time.sleep(order["lingers"])
    return 0


def order(says: bytes, lingers: float) -> dict[str, Any]:
    return {"key": "k", "seconds": 60, "says": says, "lingers": lingers}


def hear_all(one: Resident, until: Told | None = None) -> None:
    """Hear every child to its end, or until something has been told."""
    end = time.monotonic() + 30
    while one.selector.get_map() and not until:
        for event, _ in one.selector.select(0.1):
            one._hear(event.data)
        assert time.monotonic() < end


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(resident, "_run", lingering)
    return []


def worker(told: Told) -> Resident:
    return Resident(None, lambda kind, key, **more: told.append((kind, more.get("what", key))))


def test_a_next_stage_may_follow_before_the_first_is_gone(told: Told) -> None:
    one = worker(told)
    one._start(order(b'{"is": "done"}\n', 0.3))
    hear_all(one, told)
    one._start(order(b'{"is": "done"}\n', 0.5))
    hear_all(one)
    assert told == [("done", "k"), ("done", "k")]


def test_a_child_that_goes_without_a_word_has_failed(told: Told) -> None:
    one = worker(told)
    one._start(order(b"", 0.0))
    hear_all(one)
    assert told == [("failed", CRASH_WORDS)]


def test_a_child_that_is_stopped_is_gone_at_once(told: Told) -> None:
    one = worker(told)
    one._start(order(b"", 60.0))
    (pid,) = one.children
    one._cancel("k")
    assert told == [("cancelled", "k")]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
