"""A state has one address, and an address one state."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from areaeffect.web.limits import Refusal
from areaeffect.web.selection import View, choice, parse, query


class Page(View):
    tab: str = choice("map", "table")


codes = st.from_regex(r"[EW]0100[0-9]{4}", fullmatch=True)
states = st.builds(
    Page,
    base=st.sampled_from(["", "england", "london"]),
    layer=st.sampled_from(["", "imd_score", "recorded-crime"]),
    period=st.sampled_from(["", "2014-03", "2025", "2012-Q2"]),
    areas=st.lists(codes, unique=True, max_size=20).map(lambda c: tuple(sorted(c))),
    set=st.sampled_from(["", "0123456789ab"]),
    tab=st.sampled_from(["map", "table"]),
)


@given(states)
def test_what_is_printed_is_read_back(state: Page) -> None:
    printed = query(state)

    assert parse(Page, parse_qsl(printed.lstrip("?"))) == state
    assert query(parse(Page, parse_qsl(printed.lstrip("?")))) == printed


@pytest.mark.parametrize(
    ("pairs", "status"),
    [
        ([("bass", "x")], 400),
        ([("tab", "chart")], 400),
        ([("tab", "map"), ("tab", "table")], 400),
        ([("areas", "E01\r\nX-Evil: 1")], 400),
        ([("base", "../../etc")], 400),
        ([("areas", ",".join(f"E{i}" for i in range(101)))], 422),
    ],
)
def test_what_is_not_known_is_refused(pairs: list[tuple[str, str]], status: int) -> None:
    with pytest.raises(Refusal) as refused:
        parse(Page, pairs)

    assert refused.value.status == status
