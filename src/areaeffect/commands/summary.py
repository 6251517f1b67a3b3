"""The table that `evaluate` and `demo` print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.wording import main_findings
from areaeffect.wording.numbers import decimals_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from areaeffect.results import Finding, Result

_HEADER = ("group", "outcome", "verdict", "estimate", "95% interval", "MDE")


def summary(result: Result, truth: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Return the leading findings as a plain text table.

    Parameters
    ----------
    result : of an evaluation.
    truth : by group and outcome, the effect that was put in; adds a column.
    """
    leading = main_findings(result.findings)
    rows: list[tuple[str, ...]] = [(*_HEADER, "truth")] if truth else [_HEADER]
    for f in leading:
        cells = (
            f.group,
            f.label,
            str(f.verdict),
            _number(f.estimate, f),
            f"{_number(f.low, f)} to {_number(f.high, f)}" if f.estimate is not None else "",
            _number(f.mde, f),
        )
        known = truth.get(f.group, {}).get(f.outcome) if truth else None
        rows.append((*cells, _number(known, f)) if truth else cells)
    held_back = dict.fromkeys(f"{f.label}: {f.held_back}" for f in leading if f.held_back)
    return "\n".join([_table(rows), *(f"\n{text}" for text in held_back)])


def _number(value: float | None, finding: Finding) -> str:
    if value is None:
        return "-"
    if finding.form == "ratio":
        return f"{100 * value:+.1f}%"
    return f"{value:+.{max(2, decimals_of(finding))}f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)
