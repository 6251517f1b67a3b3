"""Did a neighbourhood-based initiative make its places better than they would have been."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.results import Result

__all__ = ["evaluate"]


def evaluate(study: str | Path, threads: int | None = None) -> Result:
    """Evaluate a study file and return its result; see `areaeffect.commands.evaluate`."""
    from pathlib import Path as _Path

    from areaeffect.commands.evaluate import evaluate as run

    return run(_Path(study), threads)
