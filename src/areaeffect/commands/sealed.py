"""A plan that was sealed before its outcomes existed: what is estimated must be that plan."""

from __future__ import annotations

import json
from math import isclose
from typing import TYPE_CHECKING, Any

from areaeffect.errors import DataError, Problem, StudyError
from areaeffect.report.files import design_values, rounded
from areaeffect.study.paths import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from areaeffect.results import Result
    from areaeffect.study.file import StudyFile

_SHOWN = 5
_SAME_WEIGHT = 1e-6
#: What two designs must share; the pool may grow or shrink without moving a weight.
_DESIGN = ("start", "areas", "benchmark_areas", "weights")


def compare_with_sealed(file: StudyFile, planned: Result) -> tuple[str, ...]:
    """Return a note that a plan is the one sealed before; nothing where the study names none.

    Code, releases and later periods may differ from those of the seal. Settings, neighbourhoods,
    benchmark areas and weights may not.

    Raises
    ------
    StudyError
        Where the plan differs from the sealed one, with what differs.
    DataError
        Where the sealed plan is not there, or is none.
    """
    if file.study.study.sealed is None:
        return ()
    path = resolve(file.study.study.sealed, file.folder)
    sealed = _read(path)
    now = json.loads(json.dumps(design_values(rounded(planned)) | {"plan": planned.plan}))
    given = file.study.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    differing = [*_settings(sealed["plan"], now["plan"], given), *_designs(sealed, now)]
    if differing:
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise StudyError(
            Problem(
                f"this is not the plan that was sealed: {'; '.join(differing[:_SHOWN])}{more}.",
                str(path),
                "Restore the study file and the earlier data that the plan lists. "
                "Without `sealed` the study runs, and does not say that it kept to a plan.",
            )
        )
    return (
        "Settings, neighbourhoods, benchmark areas and weights are those of the plan sealed "
        f"before, with the seal {sealed['seal']['sha256']} ({path.name}).",
    )


def _read(path: Path) -> Any:
    fix = "Give the design.json that `areaeffect design` wrote, as `sealed` of [study]."
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in ("seal", "designs", "plan") if key not in found]
    except (OSError, ValueError):
        raise DataError(Problem("the sealed plan cannot be read.", str(path), fix)) from None
    if missing:
        raise DataError(
            Problem(f"this is no sealed plan: it lacks {', '.join(missing)}.", str(path), fix)
        )
    return found


def _settings(sealed: Any, now: Any, given: Any) -> Iterator[str]:
    """Name the settings that changed, and those given now that the seal did not know."""
    before, after = dict(_leaves(sealed)), dict(_leaves(now))
    for key, value in before.items():
        if after.get(key) != value:
            yield f"`{key}` was {value!r} and is {after.get(key)!r}"
    for key, value in _leaves(given):
        if key not in before:
            yield f"`{key}` was not there and is {value!r}"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        at = f"{name}.{key}" if name else str(key)
        if isinstance(item, dict | list) and item:
            yield from _leaves(item, at)
        else:
            yield at, item


def _designs(sealed: Any, now: Any) -> Iterator[str]:
    """Name the neighbourhoods whose start, areas, benchmark areas or weights changed."""
    keys = ("initiative", "neighbourhood", "claim")
    before, after = (
        {tuple(d[k] for k in keys): {k: d[k] for k in _DESIGN} for d in one["designs"]}
        for one in (sealed, now)
    )
    for key in sorted(before.keys() | after.keys()):
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            what = "not in the sealed plan" if one is None else "only in the sealed plan"
            yield f"{key[1]} ({key[2]}) is {what}"
        elif changed := [k.replace("_", " ") for k in _DESIGN if not _alike(one[k], other[k])]:
            yield f"{key[1]} ({key[2]}) has other {' and '.join(changed)}"


def _alike(one: Any, other: Any) -> bool:
    """Tell whether two values of a design are the same; weights but for a platform's last bits."""
    if isinstance(one, list) and len(one) == len(other) and one and isinstance(one[0], float):
        return all(isclose(a, b, abs_tol=_SAME_WEIGHT) for a, b in zip(one, other, strict=True))
    return bool(one == other)
