"""`areaeffect report`: a results folder to its report, from that folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.report.files import rebuild_report

if TYPE_CHECKING:
    from pathlib import Path


def rebuild(folder: Path) -> Path:
    """Rebuild `report.html` and return its path."""
    return rebuild_report(folder)
