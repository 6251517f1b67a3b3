"""The table of a run, and `areaeffect diff`: which findings two runs differ in, and because of what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from areaeffect.document.folders import changed_files
from areaeffect.records import Json
from areaeffect.report.files import read_result
from areaeffect.results import Finding, Result, Verdict
from areaeffect.wording import main_findings, reason
from areaeffect.wording.numbers import decimals_of, interval_head, plural

_VALUES = ("verdict", "estimate", "low", "high", "p_value", "mde", "maryland")
_EFFECTS = ("estimate", "low", "high", "mde")  # of a ratio they are fractions, printed in per cent
_RELATIVE = 1e-9  # numbers are written at 12 digits
_NOT_GIVEN = "not given"
_HASH = 12  # characters of a hash that tell two files apart


@dataclass(frozen=True, slots=True)
class Change:
    """One value of one finding in both runs; None where a run has no such finding or value."""

    finding: str
    value: str
    before: str | float | None
    after: str | float | None
    form: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two runs."""

    changes: tuple[Change, ...]  # values of findings, in the order of the first run
    #: what can have moved them, by kind: 'release', 'study', 'code', 'file' (changed after it was written)
    causes: dict[str, tuple[str, ...]]
    same: int  # findings whose values are equal

    def to_dict(self) -> Json:
        """Return plain JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Return the difference in lines."""
        lines = [self._first()]
        for kind, own in self.causes.items():
            lines += [f"{kind}: {text}" for text in own]
        if self.changes and not any(self.causes.values()):
            lines.append("Releases, study and versions are equal: the program itself has changed.")
        elif sum(bool(own) for own in self.causes.values()) > 1:
            lines.append("More than one kind differs: any of them may have moved a number.")
        verdicts = sorted(self.changes, key=lambda c: c.value != "verdict")
        return "\n".join([*lines, *(_line(change) for change in verdicts)])

    def _first(self) -> str:
        """Say in one sentence how much differs."""
        if not self.changes:
            return f"Nothing changed: all {plural(self.same, 'finding')} are the same."
        alone = Counter(run for c in self.changes if (run := _alone(c)))
        both = [c for c in self.changes if not _alone(c)]
        changed = len({c.finding for c in both})
        text = f"{plural(changed, 'finding')} changed, {self.same} are the same"
        if alone:
            text += "".join(f", {n} {'is' if n == 1 else 'are'} {run}" for run, n in sorted(alone.items()))
        verdicts = [_line(c) for c in both if c.value == "verdict"]
        if not verdicts:
            return f"{text}; every verdict that both have is the same." if self.same + changed else f"{text}."
        more = f", and {len(verdicts) - 1} more" if len(verdicts) > 1 else ""
        return f"{text}; {plural(len(verdicts), 'verdict')} changed ({verdicts[0]}{more})."


def diff(before: Path, after: Path) -> Difference:
    """Compare two results folders.

    Raises
    ------
    DataError
        Where a folder cannot be read.
    """
    found = compare(read_result(before), read_result(after))
    files = {folder / path for folder in (before, after) for path in changed_files(folder)}
    edited = [f"{path}: changed after it was written" for path in files]
    return replace(found, causes=found.causes | {"file": tuple(sorted(edited))})


def compare(before: Result, after: Result) -> Difference:
    """Compare two results, finding by finding."""
    old, new = _keyed(before), _keyed(after)
    changes: list[Change] = []
    same = 0
    for name in dict.fromkeys([*old, *new]):
        own = _changes(name, old.get(name), new.get(name))
        same += not own
        changes += own
    causes = {
        "release": tuple(_sorted_changes(_releases(before), _releases(after))),
        "study": _study_changes(before.plan, after.plan),
        "code": tuple(_sorted_changes(before.versions, after.versions)),
    }
    return Difference(tuple(changes), causes, same)


def _alone(change: Change) -> str:
    """Return in which run alone a finding is; empty where both have it."""
    if change.value != "verdict" or None not in (change.before, change.after):
        return ""
    return "only in the second" if change.before is None else "only in the first"


def _study_changes(old: Json, new: Json) -> tuple[str, ...]:
    """Say which keys differ; of a source that one study alone has, no more than that."""
    sources = [set(plan.get("source") or {}) for plan in (old, new)]
    moved = [f"source.{name}: only in the first" for name in sorted(sources[0] - sources[1])]
    moved += [f"source.{name}: only in the second" for name in sorted(sources[1] - sources[0])]
    shared = sources[0] & sources[1]
    kept = [
        plan | {"source": {k: v for k, v in (plan.get("source") or {}).items() if k in shared}}
        for plan in (old, new)
    ]
    before, after = ({k: v for k, v in _leaves(p).items() if v != _NOT_GIVEN} for p in kept)
    return (*moved, *_sorted_changes(before, after, _NOT_GIVEN))


def _keyed(result: Result) -> dict[str, Finding]:
    made = {}
    for f in result.every_finding:
        parts = (f.group, f.neighbourhood, f.outcome or f.family, f.claim, f.form)
        made[", ".join(part for part in parts if part)] = f
    return made


def _changes(name: str, old: Finding | None, new: Finding | None) -> list[Change]:
    if old is None or new is None:
        own = old or new
        verdict = str(own.verdict) if own else None
        form = own.form if own else ""
        return [Change(name, "verdict", verdict if old else None, verdict if new else None, form)]
    made = []
    for value in _VALUES:
        a, b = (getattr(f, value) for f in (old, new))
        if not _equal(a, b):
            a, b = (str(v) if value == "verdict" else v for v in (a, b))
            made.append(Change(name, value, a, b, new.form))
    return made


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= _RELATIVE * max(abs(a), abs(b))
    return bool(a == b)


def _releases(result: Result) -> dict[str, str]:
    return {f"{r.source}, {r.file}": f"{r.sha256[:_HASH]}…" for r in result.releases}


def _leaves(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = {str(i): item for i, item in enumerate(value, 1)}.items()
    else:
        return {name: _NOT_GIVEN if value is None else str(value)}
    return {k: v for key, own in items for k, v in _leaves(own, f"{name}.{key}".strip(".")).items()}


def _sorted_changes(old: Mapping[str, str], new: Mapping[str, str], absent: str = "not there") -> list[str]:
    return [
        f"{name}: {old.get(name, absent)} → {new.get(name, absent)}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _line(change: Change) -> str:
    a, b = change.before, change.after
    if alone := _alone(change):
        return f"{change.finding}: {alone} ({a or b})"
    in_percent = change.form == "ratio" and change.value in _EFFECTS

    def shown(value: str | float | None, sign: str = "") -> str:
        if value is None:
            return "none"
        if not isinstance(value, float):
            return str(value)
        text = f"{100 * value:{sign}.1f}%" if in_percent else f"{value:{sign}.4g}"
        return text.replace("-", "−")

    moved = f" ({shown(b - a, '+')})" if isinstance(a, float) and isinstance(b, float) else ""
    return f"{change.finding}: {change.value} {shown(a)} → {shown(b)}{moved}"


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
