"""`areaeffect report`: a results folder to its report, from that folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.collection_files import held_collection, rebuild_collection
from areaeffect.report.files import rebuild_report

if TYPE_CHECKING:
    from pathlib import Path


def rebuild(folder: Path) -> Path:
    """Rebuild the report; return its path."""
    if held_collection(folder) is not None:
        return rebuild_collection(folder)
    return rebuild_report(folder)
