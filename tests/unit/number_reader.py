"""Finds every number of a report's texts again in the files beside it; knows nothing of the writer.

A text is cut into clauses. The numbers of a clause must all stand, at the rounding and with the
sign they are printed with, in at most two records of what the text is about: a finding, a row of a
table, the values of an annex, or the count, least and most of the rows that share a name.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

Record = tuple[float, ...]
#: Numbers that name a method, not a result: levels, power, scales, the limit of balance.
CONSTANTS = (
    r"\b(?:90|95)%(?= (?:placebo |posterior )?(?:interval|\w+ interval))",
    r"\b(?:95)%(?= (?:interval|placebo|of placebo|confidence|intervals))",
    r"\(95%(?=[,)])",
    r"\b95%(?=: )",
    r"(?<=with )80% power",
    r"\(80% power\)",
    r"(?<= )0 to 100\b",
    r"(?<=over )0\.1\b",
    r"(?<=limit )0\.1\b",
    r"(?<=for each )[£$€]1\b",
    r"(?<=exceeds )[£$€]1\b",
    r"(?:above 0\.99|below 0\.01)",
    r"counts from 1 to 7\b",
    r"(?<=\d) of 5 on the Maryland",
    r"\bsha256 [0-9a-f]{64}",
    r"SHA-256",
)
TOKEN = re.compile(
    r"(?<![\w.,])(?P<sign>[−+-]?)(?P<money>[£$€]?)(?P<digits>\d[\d,]*(?:\.\d+)?)"
    r"(?P<unit>%| million| billion)?"
)
TEXTS_OF_THE_STUDY = ("label", "unit", "title", "name", "source", "attribution", "outcome")


@dataclass
class Scope:
    """The records one kind of text may draw on."""

    records: list[Record] = field(default_factory=list)

    def add(self, *values: Any) -> Scope:
        """Add one record of every number in some values."""
        numbers = tuple(dict.fromkeys(n for value in values for n in _numbers(value)))
        if numbers:
            self.records.append(numbers)
        return self

    def add_rows(self, rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> Scope:
        """Add each row, and what rows with one name (or two) have in common."""
        for row in rows:
            self.add(row)
        text = names or [
            name for name in (rows[0] if rows else ()) if any(_word(row[name]) for row in rows)
        ]
        keys: list[tuple[str, ...]] = [(), *((n,) for n in text), *combinations(text, 2)]
        for key in keys:
            parts: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
            for row in rows:
                parts.setdefault(tuple(str(row[n]) for n in key), []).append(row)
            self.records.append((float(len(parts)),))
            for part in parts.values():
                self.records.append(_together(part))
        return self

    def explains(self, tokens: Sequence[re.Match[str]], most: int = 2) -> bool:
        """Say whether at most so many records hold all the numbers."""
        held = {
            frozenset(i for i, t in enumerate(tokens) if any(same(t, v) for v in record))
            for record in self.records
        }
        best = sorted(held, key=len, reverse=True)[:80]
        whole = len(tokens)
        return any(len(frozenset().union(*some)) == whole
                   for n in range(1, most + 1) for some in combinations(best, n))


def same(token: re.Match[str], value: float) -> bool:
    """Say whether a printed number is a value at its rounding, with its sign where one is shown."""
    text = token["digits"].replace(",", "")
    places = len(text.partition(".")[2])
    scale = {"%": 100.0, " million": 1e-6, " billion": 1e-9}.get(token["unit"] or "", 1.0)
    for factor in (scale, 1.0) if token["unit"] == "%" else (scale,):
        shown = value * factor
        if abs(float(text) - abs(shown)) <= 0.5 * 10.0**-places + 1e-9 * max(1.0, abs(shown)):
            minus = token["sign"] in {"−", "-"}
            return shown < 0 if minus and float(text) else True
    return False


def unread(text: str, scope: Scope, literals: Iterable[str] = ()) -> list[str]:
    """Return the clauses of a text whose numbers are not found again."""
    for literal in sorted(literals, key=len, reverse=True):
        if literal in text:
            text = text.replace(literal, " ~ ")
    for constant in CONSTANTS:
        text = re.sub(constant, " ~ ", text)
    if _read(text, scope):
        return []
    clauses = re.split(r"(?<=[a-z%)\d’])[;:.](?: |$)|\. ", text)
    return [clause for clause in clauses if not _read(clause, scope)]


def _read(clause: str, scope: Scope) -> bool:
    tokens = list(TOKEN.finditer(clause))
    return not tokens or scope.explains(tokens)


def _numbers(value: Any) -> Iterator[float]:
    """Return every number in a value, in texts too where that is all they are."""
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, (int, float)):
        if math.isfinite(value):
            yield float(value)
    elif isinstance(value, str):
        if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", value):
            yield float(value)
        elif re.fullmatch(r"[\d/ to-]+", value):
            yield from (float(n) for n in re.findall(r"\d+", value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, (list, tuple)):
        yield float(len(value))
        for item in value:
            yield from _numbers(item)


def _word(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and not list(_numbers(value))


def _together(rows: Sequence[Mapping[str, Any]]) -> Record:
    found: list[float] = [float(len(rows))]
    for name in rows[0]:
        own = [n for row in rows for n in _numbers(row[name]) if not isinstance(row[name], list)]
        if own:
            found += [min(own), max(own), math.fsum(own)]
    return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- a folder of results


@dataclass
class Folder:
    """What the files of a result hold, by what a text may be about."""

    path: Path

    def __post_init__(self) -> None:
        self.findings = self._json("findings.json")["findings"]
        self.run = self._json("run.json")
        self.design = self._json("design.json")
        self.annexes = {annex["name"]: annex for annex in self.run["annexes"]}
        self.literals = self._literals()
        self.about: dict[str, Scope] = {}

    def scope(self, key: str) -> Scope:
        """Return what a section of this key may draw on."""
        if key not in self.about:
            self.about[key] = self._scope(key)
        return self.about[key]

    def finding(self, title: str) -> Scope:
        """Return what the card of one finding, or the page of one place, may draw on."""
        key = f"card {title}"
        if key not in self.about:
            own = [f for f in self.findings if f["outcome"] and _card(f) == title]
            names = {(f["group"], f["outcome"]) for f in own}
            scope = Scope().add_rows(own, ("form",))
            for name, values in (("placebo_draws", "estimate"), ("series", "observed")):
                rows = [r for r in self.table(name) if (r["group"], r["outcome"]) in names]
                scope.add_rows(rows, ("form",) if name == "placebo_draws" else ("is_gap",))
                if name == "placebo_draws":
                    for f in own:
                        drawn = [float(r[values]) for r in rows if r["form"] == f["form"]]
                        far = sum(abs(v) >= abs(f["estimate"] or 0.0) - 1e-12 for v in drawn)
                        scope.add(far, len(drawn))
            scope.records += self._moving_means(names)
            for check in self._checks():
                for answer in check["findings"]:
                    if (answer["group"], answer["outcome"]) in names:
                        scope.add(answer)
                        scope.add(answer, {"of": [f["n_neighbourhoods"] for f in own]})
            self.about[key] = scope
        return self.about[key]

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        with (self.path / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def _checks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.annexes.get("checks", {"values": {"checks": []}})["values"]["checks"]
        return found

    def _moving_means(self, names: set[tuple[str, str]]) -> list[Record]:
        """Return the last mean of twelve months of both lines, where a trend has one."""
        made = []
        for group, outcome in sorted(names):
            rows = [r for r in self.table("series") if (r["group"], r["outcome"]) == (group, outcome)]
            for i in range(11, len(rows)):
                last = rows[i - 11 : i + 1]
                if all(r["observed"] and r["benchmark"] for r in last):
                    means = (math.fsum(float(r[n]) for r in last) / 12 for n in ("observed", "benchmark"))
                    made.append((*means, *_numbers(rows[i]["period"]), 12.0))
        return made

    def _literals(self) -> set[str]:
        """Return texts with digits that the study, its releases and its versions bring."""
        found: set[str] = set()

        def take(value: Any) -> None:
            if isinstance(value, str):
                found.update([value] if re.search(r"\d", value) and not list(_numbers(value)) else [])
            elif isinstance(value, Mapping):
                for item in value.values():
                    take(item)
            elif isinstance(value, list):
                for item in value:
                    take(item)

        take([self.run["plan"], self.run["releases"], self.run["versions"], self.run["title"], self.run["notes"]])
        for name in ("stories", "events", "themes"):
            if (self.path / "data" / f"{name}.csv").exists():
                take(self.table(name))
        for f in self.findings:
            take([f[name] for name in ("pre", "post", "unit", "label", "group")])
        take(self.design["seal"]["covers"])
        found.update(f"{n} {v}" for n, v in self.run["versions"].items())
        return found | {d["start"] for d in self.design["designs"]}

    def _scope(self, key: str) -> Scope:
        scope = Scope()
        whole = [f for f in self.findings if f["neighbourhood"] is None and f["outcome"]]
        if key in {"answer", "table", "say", "outcomes"}:
            scope.add_rows(self.findings, ("group", "outcome", "verdict", "form"))
            judged = [f for f in whole if _is_main(f, whole)]
            for group in {f["group"] for f in judged}:
                own = [str(f["verdict"]) for f in judged if f["group"] == group]
                scope.add(len(own), *(own.count(v) for v in set(own)), 0)
            for keys in {(f["group"], f["outcome"], f["form"]) for f in self.findings}:
                own = [str(f["verdict"]) for f in self.findings if f["neighbourhood"] is not None
                       and (f["group"], f["outcome"], f["form"]) == keys]
                scope.add(len(own), *(own.count(v) for v in set(own)))
        for name, annex in self.annexes.items():
            if SECTIONS.get(name, name.replace("_", "-")) == key:
                self._annex(scope, annex)
        if key in {"who", "map-section", "notes"}:
            scope.add_rows(self.design["areas"], ("role", "reason", "initiative"))
            scope.add_rows(self.design["designs"], ("initiative", "claim"))
            self._map(scope)
        if key == "balance":
            self._balance(scope)
        if key in {"method", "data", "seal", "again"}:
            scope.add(self.run["plan"])
            scope.add_rows(self.run["releases"]).add_rows(self.run["gaps"])
            scope.add({"designs": len(self.design["designs"])})
            scope.records.append((20.0, 10.0, 60.0, 0.25, 2.0, 3.0, 1.0, 80.0, 90.0))  # its rules
        return scope

    def _annex(self, scope: Scope, annex: Mapping[str, Any]) -> None:
        values = annex["values"]
        scope.add(values if annex["name"] != "checks" else [])
        for value in values.values():
            if isinstance(value, list):
                scope.add_rows([v for v in value if isinstance(v, Mapping)])
            elif isinstance(value, Mapping):
                scope.add(value)
        for table in annex["tables"]:
            rows = self.table(table["name"])
            scope.add_rows(rows)
            for row in rows:  # a row with the values that hold for all
                scope.add(row, {k: v for k, v in values.items() if not isinstance(v, (list, Mapping))})
            scope.add(len(rows), 40)
        if annex["name"] == "checks":
            self._answers(scope, values["checks"])

    def _answers(self, scope: Scope, checks: Sequence[Mapping[str, Any]]) -> None:
        states = [c["status"] for c in checks]
        scope.add(len(states), *(states.count(s) for s in set(states)), 0)
        findings = {(f["group"], f["outcome"]): f for f in self.findings if f["neighbourhood"] is None}
        for check in checks:
            told = [a["status"] for a in check["findings"]]
            scope.add(len(told), sum(s != "not estimable" for s in told), *(told.count(s) for s in set(told)))
            for answer in check["findings"]:
                own = findings.get((answer["group"], answer["outcome"]), {})
                scope.add(answer["numbers"], {"n": own.get("n_neighbourhoods")})
            if (self.path / "data" / f"check_{check['name']}.csv").exists():
                self._clear(scope, self.table(f"check_{check['name']}"))

    def _clear(self, scope: Scope, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add how many intervals of each panel leave zero out."""
        if not rows or not {"estimate", "low", "high"} <= set(rows[0]):
            return
        for name in {(r["group"], r["outcome"]) for r in rows}:
            own = [r for r in rows if (r["group"], r["outcome"]) == name and r["estimate"]]
            clear = sum(float(r["low"] or 0) > 0 or float(r["high"] or 0) < 0 for r in own)
            if own:
                ends = [float(r["estimate"]) for r in own]
                scope.add(len(own), clear, min(ends), max(ends))

    def _map(self, scope: Scope) -> None:
        weights: dict[str, float] = {}
        areas = self.design["areas"]
        for area in areas:
            if area["role"] == "benchmark":
                weights[area["area"]] = weights.get(area["area"], 0.0) + area["weight"]
        values = sorted(weights.values())
        roles = [a["role"] for a in areas]
        scope.add(roles.count("treated"), roles.count("benchmark"),
                  len(roles) - roles.count("treated") - roles.count("benchmark"))
        if values:
            cuts = [_quantile(values, q) for q in (0.25, 0.5, 0.75)]
            counts = [sum(v >= low - 1e-6 and v < high - 1e-6 for v in values)
                      for low, high in zip([-1.0, *cuts], [*cuts, 1e9], strict=True)]
            scope.add(*cuts, *counts)

    def _balance(self, scope: Scope) -> None:
        rows = self.design["balance"]
        for claim in {r["claim"] for r in rows}:
            after: dict[str, list[float]] = {}
            for r in rows:
                if r["claim"] == claim:
                    known = [abs(r["smd_after"])] if r["smd_after"] is not None else []
                    after.setdefault(r["covariate"], []).extend(known)
            means = [math.fsum(v) / len(v) for v in after.values() if v]
            scope.add(sum(m > 0.1 for m in means), len(after), min(25, len(means)))


#: Annexes whose section is not named like them.
SECTIONS = {"checks": "does-it-hold", "families_without_outcome": "missing-families"}


def _card(finding: Mapping[str, Any]) -> str:
    if finding["neighbourhood"] is not None:
        return f"{finding['neighbourhood']}, {finding['initiative']}"
    group = finding["group"]
    group = "All initiatives together" if group == "All initiatives" else group
    return f"{finding['label'][:1].upper()}{finding['label'][1:]}: {group}"


def _is_main(finding: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a finding is told on its own: a ratio before the rate that goes with it."""
    same_outcome = [
        f for f in among
        if (f["group"], f["outcome"], f["claim"]) == (finding["group"], finding["outcome"], finding["claim"])
    ]
    return finding["form"] == "ratio" or not any(f["form"] == "ratio" for f in same_outcome)


def _quantile(values: Sequence[float], q: float) -> float:
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])
