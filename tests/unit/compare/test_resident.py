"""The resident process: children, their reports and their end."""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection, wait
from typing import Any

import pytest

from areaeffect.web import resident
from areaeffect.web.resident import CRASH_WORDS, Resident

Told = list[tuple[str, str]]


def lingering(_base: object, order: dict[str, Any], write: Connection) -> None:
    """Say what the order asks to be said, and take a while to go."""
    os.setsid()
    if order["says"]:
        write.send({"is": order["says"]})
    time.sleep(order["lingers"])


def order(says: str, lingers: float) -> dict[str, Any]:
    return {"key": "k", "seconds": 60, "says": says, "lingers": lingers}


def hear_all(one: Resident, until: Told | None = None) -> None:
    """Hear every child to its end, or until something has been told."""
    end = time.monotonic() + 30
    while one.children and not until:
        for pipe in wait(list(one.children), 0.1):
            one.hear(pipe)
        assert time.monotonic() < end


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(resident, "_run", lingering)
    return []


def worker(told: Told) -> Resident:
    return Resident(None, lambda kind, key, **more: told.append((kind, more.get("what", key))))


def test_a_next_stage_may_follow_before_the_first_is_gone(told: Told) -> None:
    one = worker(told)
    one.start(order("done", 0.3))
    hear_all(one, told)
    one.start(order("done", 0.5))
    hear_all(one)
    assert told == [("done", "k"), ("done", "k")]


def test_a_child_that_goes_without_a_word_has_failed(told: Told) -> None:
    one = worker(told)
    one.start(order("", 0.0))
    hear_all(one)
    assert told == [("failed", CRASH_WORDS)]


def test_a_child_that_is_stopped_is_gone_at_once(told: Told) -> None:
    one = worker(told)
    one.start(order("", 60.0))
    (child,) = one.children.values()
    one.cancel("k")
    assert told == [("cancelled", "k")]
    with pytest.raises(ProcessLookupError):
        os.kill(child.process.pid, 0)
