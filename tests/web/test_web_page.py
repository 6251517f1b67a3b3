"""docs/web.md is true: its limits are those of the program, and each limit is one."""

from __future__ import annotations

import re
from pathlib import Path

from areaeffect.web import limits
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "docs" / "web.md").read_text(encoding="utf-8")
LIMITS = Path(limits.__file__)
NAMES = re.findall(r"^([A-Z_]+): Final", LIMITS.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_limit_is_documented_with_its_value() -> None:
    assert len(NAMES) > 25
    for name in set(NAMES) - {"MIB"}:
        value = getattr(limits, name)
        size = {limits.MIB: "MiB", 1024: "KiB"}
        whole = (f"{value // n:,} {u}" for n, u in size.items() if value >= n and value % n == 0)
        row = next((line for line in TEXT.splitlines() if f"`{name}`" in line), "")
        assert row, name
        assert (next(whole, "") if name.endswith("BYTES") else f"{value:,g}") in row, (name, row)


def test_every_limit_is_used() -> None:
    rest = [p for p in LIMITS.parent.rglob("*") if p.suffix in {".py", ".j2"} and p != LIMITS]
    used = "\n".join(p.read_text(encoding="utf-8") for p in rest)
    own = LIMITS.read_text(encoding="utf-8")

    assert [n for n in NAMES if f"limits.{n}" not in used and own.count(n) < 2] == []
