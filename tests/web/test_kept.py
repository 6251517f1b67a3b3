"""What is kept in memory: made once however many ask, never over its bytes, packed if asked."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request

from areaeffect.web import limits
from areaeffect.web.cards import Card, drawing
from areaeffect.web.kept import Answer, Keeper, answer_of
from areaeffect.web.published import Shelf
from areaeffect.web.rates import Rate
from tests.web.published import make_runs


def asking(**headers: str) -> Request:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": told})


def counted(made: list[str], body: bytes = b"x" * 1000) -> Callable[[], Answer]:
    def make() -> Answer:
        made.append("made")
        return answer_of(body, "text/html")

    return make


def test_an_answer_is_made_once_for_all_who_ask_at_once() -> None:
    made: list[str] = []
    keeper = Keeper()

    async def ask() -> list[int]:
        asked = [keeper.respond(asking(), "name", counted(made)) for _ in range(20)]
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert asyncio.run(ask()) == [200] * 20
    assert made == ["made"]


def test_so_many_are_made_at_once_and_no_more() -> None:
    import threading

    at_once, most, lock = [0], [0], threading.Lock()

    def make() -> Answer:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        threading.Event().wait(0.02)
        with lock:
            at_once[0] -= 1
        return answer_of(b"x", "text/html")

    async def ask() -> None:
        keeper = Keeper()
        await asyncio.gather(*(keeper.respond(asking(), name, make) for name in range(8)))

    asyncio.run(ask())
    assert most[0] == limits.MADE_AT_ONCE


def test_what_could_not_be_made_is_tried_again() -> None:
    keeper, made = Keeper(), []

    def broken() -> Answer:
        raise ZeroDivisionError

    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await keeper.respond(asking(), "name", broken)
        return (await keeper.respond(asking(), "name", counted(made))).status_code

    assert asyncio.run(ask()) == 200


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    keeper, made = Keeper(most_bytes=2500), []

    async def ask(*names: int) -> None:
        for name in names:
            body = bytes([name]) * 400  # too short to be packed
            await keeper.respond(asking(), name, counted(made, body))

    asyncio.run(ask(*range(6)))
    assert len(made) == 6
    asyncio.run(ask(5, 4, 3))
    assert len(made) == 6
    asyncio.run(ask(6, 0))
    assert len(made) == 8
    assert keeper.bytes <= 2500

    async def ask_large() -> None:
        for _ in range(2):
            await keeper.respond(asking(), "large", counted(made, bytes(5000)))

    asyncio.run(ask_large())
    assert len(made) == 10
    assert keeper.bytes <= limits.KEPT_BYTES


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, gzip;q=0.5", True), ("", False), ("gzip;q=0", False), ("*", False)],
)
def test_packed_only_for_who_takes_it(accepted: str, packed: bool) -> None:
    body = b"again and again " * 100
    request = asking(accept_encoding=accepted)
    answer = asyncio.run(Keeper().respond(request, "x", lambda: answer_of(body, "text/html")))

    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert (gzip.decompress(bytes(answer.body)) if packed else answer.body) == body
    assert answer.headers["vary"] == "Accept-Encoding"


def test_as_many_results_are_held_as_the_limit_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RESULTS_KEPT", 1)
    shelf = Shelf(make_runs(tmp_path / "runs"))
    run = shelf.run("county")
    first = shelf.result(run)

    assert shelf.result(run) is first
    shelf.result(replace(run, state="other"))
    assert shelf.result(run) is not first


def test_a_rate_counts_an_ipv6_household_as_one() -> None:
    rate = Rate(2, 3600.0)
    home = ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:1::3"]

    assert [rate.allows(a) for a in home] == [True, True, False]
    assert rate.allows("2001:db8:0:2::1")
    assert [rate.allows("203.0.113.1") for _ in range(3)] == [True, True, False]
    assert rate.allows("203.0.113.2")


def test_a_card_draws_hostile_words_as_text() -> None:
    from xml.etree.ElementTree import fromstring

    card = Card("<b>&\x00", "]]><script>alert(1)</script> " + "long " * 200, "\ud800'\"")
    svg = fromstring(drawing(card))
    said = [e.text or "" for e in svg.iter("{http://www.w3.org/2000/svg}text")]

    assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))
    assert any("<script>" in text for text in said)
    assert len(said) < 12
    assert said[-2].endswith("…")
    assert card.key != replace(card, below="").key
