"""docs/publishing.md is true: its limits are those of the program, its addresses answer."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from starlette.routing import Route

from areaeffect.web import limits
from areaeffect.web.app import create_app
from areaeffect.web.settings import Settings
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "publishing.md").read_text(encoding="utf-8")
LIMITS = Path(limits.__file__)
OURS = LIMITS.read_text(encoding="utf-8").partition("# ---- published runs")[2]


def test_every_limit_of_publishing_is_documented_with_its_value() -> None:
    names = re.findall(r"^([A-Z_]+): Final", OURS, flags=re.MULTILINE)
    assert len(names) > 10
    for name in names:
        value = getattr(limits, name)
        size = {limits.MIB: "MiB", limits.KIB: "KiB"}
        told = next(
            (f"{value // n} {u}" for n, u in size.items() if value >= n and value % n == 0), ""
        )
        row = next((line for line in TEXT.splitlines() if f"`{name}`" in line), "")
        assert row, name
        assert (told if name.endswith("BYTES") else f"{value:,g}") in row, (name, row)


def test_every_limit_is_one_of_the_app() -> None:
    names = re.findall(r"^([A-Z_]+): Final", LIMITS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rest = [p for p in LIMITS.parent.rglob("*") if p.suffix in {".py", ".j2"} and p != LIMITS]
    used = "\n".join(p.read_text(encoding="utf-8") for p in rest)

    assert len(names) > 20
    assert [
        n for n in names if f"limits.{n}" not in used and not re.search(rf"\b{n}\b", used)
    ] == []


def test_every_address_of_the_page_is_a_route(settings: Settings) -> None:
    app = create_app(replace(settings, read_only=True, token="word"))
    routes = [r for r in app.routes if isinstance(r, Route)]
    table = TEXT.partition("## Addresses")[2].partition("\nAdd `.json`")[0]
    named = [a for a in re.findall(r"`(/[^`…]*)`", table) if "~" not in a]

    assert len(named) > 10
    for address in named:
        assert any(r.path_regex.match(address) for r in routes), address
