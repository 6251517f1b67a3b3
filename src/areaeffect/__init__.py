"""Did a neighbourhood-based initiative make its places better than they would have been."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Evaluation": "api",
    "Picture": "api",
    "Study": "api",
    "example": "api",
    "load": "api",
    "load_study": "api",
    "evaluate": "commands.evaluate",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for, so that `import areaeffect` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'areaeffect' has no attribute '{name}'")
    return getattr(import_module(f"areaeffect.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
