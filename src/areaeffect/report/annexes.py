"""What a report prints of the further questions of a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.further.registry import FURTHER

if TYPE_CHECKING:
    from areaeffect.document.blocks import Section
    from areaeffect.results import Result


def annex_sections(result: Result) -> list[Section]:
    """Return the sections of all annexes, in the order of the registry."""
    by_name = {annex.name: annex for annex in result.annexes}
    return [one.section(result, by_name[one.name]) for one in FURTHER if one.name in by_name]


def annex_files(result: Result) -> dict[str, str]:
    """Return where each table of the annexes can be downloaded, relative to the page."""
    return {t.name: f"data/{t.name}.csv" for a in result.annexes for t in a.tables}
