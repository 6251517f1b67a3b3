"""The study's design choices as rules: matching, exact factors, who may serve at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.design.matching import Matching
from areaeffect.design.programme import Rules
from areaeffect.study.model import split_reference
from areaeffect.tables.cells import picked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from areaeffect.panel import Graph, Panel, Strings
    from areaeffect.results import Bools, Floats, Ints
    from areaeffect.study.design import DesignPart, Only


#: How a missing attribute reads as text.
_UNKNOWN = ("", "nan")


def matching_of(design: DesignPart) -> Matching:
    """Return how the areas of a pool are weighted."""
    return Matching(design.calibration, design.caliper, design.ratio, design.reuse)


def rules_of(design: DesignPart, near: Graph | None) -> Rules:
    """Return the rules of the pool that depend on who is treated."""
    return Rules(design.nearest, design.common_support, near, matching_of(design))


def strata_of(columns: Sequence[str], panel: Panel) -> Ints | None:
    """Number the combinations of exact factors, (n_areas,); None where there are none."""
    if not columns:
        return None
    stacked = np.column_stack([panel.attributes[c] for c in columns])
    _, strata = np.unique(stacked, axis=0, return_inverse=True)
    return strata.ravel().astype(np.int64)


def design_exclusions(design: DesignPart, panel: Panel, treated: Ints) -> list[tuple[Bools, str]]:
    """Return (mask, reason) of the areas that the study's own rules leave out of the pool.

    Parameters
    ----------
    design : its exclusions, rules and exact factors.
    panel : its attributes.
    treated : areas of the studied initiatives, whose own range or values a bare rule means.
    """
    found: list[tuple[Bools, str]] = [
        (picked(panel.attributes[e.column], e.values, e.column, "design.exclude"), e.reason)
        for e in design.exclude
    ]
    found += [_outside(rule, panel.attributes[rule.column], treated) for rule in design.only]
    for column in design.exact:
        name = split_reference(column)[1]
        found.append((np.isin(panel.attributes[column], _UNKNOWN), f"{name} is not known"))
        shared = np.isin(panel.attributes[column], panel.attributes[column][treated])
        found.append((~shared, f"no treated area has its {name}"))
    return found


def _outside(rule: Only, values: Strings, treated: Ints) -> tuple[Bools, str]:
    name = split_reference(rule.column)[1]
    numbers = _numbers(values)
    if numbers is None or rule.values:
        allowed = rule.values or tuple(np.unique(values[treated]))
        inside = picked(values, allowed, rule.column, "design.only")
        return ~inside, f"outside the study's rule: {name} is {', '.join(allowed)}"
    low, high = rule.low, rule.high
    if low is None and high is None:
        own = numbers[treated][np.isfinite(numbers[treated])]
        low, high = float(own.min(initial=np.inf)), float(own.max(initial=-np.inf))
    inside = np.isfinite(numbers)
    inside &= numbers >= (-np.inf if low is None else low)
    inside &= numbers <= (np.inf if high is None else high)
    ends = ("" if low is None else f" from {low:g}") + ("" if high is None else f" up to {high:g}")
    return ~inside, f"outside the study's rule: {name}{ends}"


def _numbers(values: Strings) -> Floats | None:
    """Return text as numbers, NaN where unknown; None where some text is no number."""
    try:
        return np.array([float(v) if v else np.nan for v in values])
    except ValueError:
        return None
