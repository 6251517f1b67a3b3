"""The table that `evaluate` and `demo` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from areaeffect.results import Finding, Result, Verdict
from areaeffect.wording import main_findings, reason
from areaeffect.wording.numbers import decimals_of, interval_head

_BOTH = "the interval includes zero: both more and less than expected fit the data"


def summary(result: Result, truth: Mapping[str, Mapping[str, float]] | None = None) -> str:
    """Return the leading findings as a plain text table, with why there is no answer.

    Parameters
    ----------
    result : of an evaluation.
    truth : by group and outcome, the effect that was put in; adds a column.
    """
    leading = main_findings(result.findings)
    head = ("group", "outcome", "verdict", "estimate", interval_head(leading), "MDE")
    rows: list[tuple[str, ...]] = [(*head, "truth")] if truth else [head]
    reasons = list(dict.fromkeys(filter(None, map(_why, leading))))
    for f in leading:
        why = _why(f)
        cells = (
            f.group,
            f.label,
            f"{f.verdict} ({reasons.index(why) + 1})" if why else str(f.verdict),
            _number(f.estimate, f),
            _ends(f) if f.estimate is not None else "",
            _number(f.mde, f),
        )
        known = truth.get(f.group, {}).get(f.outcome) if truth else None
        rows.append((*cells, _number(known, f)) if truth else cells)
    notes = [f"({i}) {text}" for i, text in enumerate(reasons, 1)]
    mde = "MDE: the smallest effect that the study would have detected."
    return "\n".join([_table(rows), "", *notes, mde])


def _why(f: Finding) -> str:
    """Return why a finding has no answer; empty where it has one."""
    if f.estimate is None:
        return reason(f)
    return f.held_back or _BOTH if f.verdict is Verdict.CANNOT_TELL else ""


def _ends(f: Finding) -> str:
    """Return the printed interval, of which one end may be open."""
    if f.low is None and f.high is None:
        return "-"
    return " to ".join("no end found" if end is None else _number(end, f) for end in (f.low, f.high))


def _number(value: float | None, finding: Finding) -> str:
    if value is None:
        return "-"
    is_ratio = finding.form == "ratio"
    shown = 100 * value if is_ratio else value
    decimals = 1 if is_ratio else max(2, decimals_of(finding))
    return f"{round(shown, decimals) + 0.0:+.{decimals}f}{'%' if is_ratio else ''}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(lines)
