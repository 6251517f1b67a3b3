"""Problems of independent steps, shown all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from areaeffect.errors import AreaEffectError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Faults:
    """Collects the problems of independent steps, so that one run shows them all."""

    def __init__(self) -> None:
        self.errors: list[AreaEffectError] = []

    def attempt(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Run a step; keep its problems and return None where it fails."""
        try:
            return step(*args, **kwargs)
        except AreaEffectError as error:
            self.errors.append(error)
            return None

    def raise_all(self) -> None:
        """Raise every problem kept; wrong data outrank a wrong study."""
        if self.errors:
            worst = max(self.errors, key=lambda e: e.exit_code)
            raise type(worst)([p for e in self.errors for p in e.problems])
