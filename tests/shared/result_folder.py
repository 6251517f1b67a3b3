"""The files of a result as records that texts may draw on; knows nothing of the writer."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shared.number_reader import Record, Scope, numbers_of


@dataclass
class Folder:
    """What the files of a result hold, by what a text may be about."""

    path: Path

    def __post_init__(self) -> None:
        self.findings = [_with_shares(f) for f in self._json("findings.json")["findings"]]
        self.run = self._json("run.json")
        self.design = self._json("design.json")
        self.annexes = {annex["name"]: annex for annex in self.run["annexes"]}
        self.literals = self._literals()
        self.abouts: dict[str, Scope] = {}

    def scope(self, key: str) -> Scope:
        """Return what a section of this key may draw on."""
        if key not in self.abouts:
            self.abouts[key] = self._scope(key)
        return self.abouts[key]

    def about_text(self, text: str, section: str, card: str, kind: str) -> Scope:
        """Return what one text may draw on.

        Parameters
        ----------
        section : key of its section.
        card : title of the card it stands in, or of the page of a neighbourhood; may be empty.
        kind : of its block: a sentence about a finding may use nothing but that finding.
        """
        own = [f for f in self.findings if f["outcome"] and _card(f) == card]
        if card and kind == "Paragraph" and own[0]["neighbourhood"] is None:
            return self._only(own)
        told = own or (self.findings if section in {"answer", "say"} else [])
        named = [f for f in told if f["label"].lower() in text.lower()]
        if named and kind in {"Answers", "Bullets"} and (section in {"answer", "say", "sure"}):
            return self._only(named)
        if not card:
            return self.scope(section)
        parts = {"Facts": "facts", "Bullets": "caveats"}
        return self._of_card(card, own, "charts" if "chart" in kind else parts.get(kind, "words"))

    def _only(self, findings: Sequence[Mapping[str, Any]]) -> Scope:
        key = "only " + " ".join(str(id(f)) for f in findings)
        if key not in self.abouts:
            scope = Scope()
            for f in findings:
                scope.add(f)
            self.abouts[key] = scope
        return self.abouts[key]

    def _of_card(self, title: str, own: Sequence[Mapping[str, Any]], part: str) -> Scope:
        """Return what one part of a card (or of a page) may draw on."""
        key = f"{part} of {title}"
        if key in self.abouts:
            return self.abouts[key]
        scope = self.abouts[key] = Scope()
        names = {(f["group"], f["outcome"]) for f in own}
        for f in own:
            scope.add(f)
        if part == "charts":
            self._drawn(scope, own, names)
        if part == "caveats":
            self._imbalance(scope, own)
        if part in {"caveats", "facts"}:
            self._answered(scope, own, names)
            for f in own:  # an area that is treated but has no data is left out
                bare = sum(a["reason"] == "treated, but not covered" for a in self.design["areas"])
                scope.add(bare, bare + f["n_areas"])
        if part in {"words", "charts"}:
            for design in self.design["designs"]:
                if title == f"{design['neighbourhood']}, {design['initiative']}":
                    scope.add(len(design["areas"]), len(design["benchmark_areas"]), 20)
            told = [f["verdict"] for f in own if _is_main(f, own)]
            scope.add(len(told), *(told.count(v) for v in set(told)))
        return scope

    def _answered(self, scope: Scope, own: Sequence[Mapping[str, Any]], names: set[tuple[str, str]]) -> None:
        """Add what the checks answered of a finding."""
        if any(f["claim"] == "contrast" for f in own):  # tested on all, as all together are
            names = names | {("All initiatives", f["outcome"]) for f in own}
        for check in self._checks():
            for answer in check["findings"]:
                if (answer["group"], answer["outcome"]) in names:
                    others = answer["numbers"].get("turning", 1) - 1
                    scope.add(answer["numbers"], others, [f["n_neighbourhoods"] for f in own])

    def _drawn(self, scope: Scope, own: Sequence[Mapping[str, Any]], names: set[tuple[str, str]]) -> None:
        """Add what charts of a finding say: the ends of the draws, gaps, the last means."""
        draws = [r for r in self.table("placebo_draws") if (r["group"], r["outcome"]) in names]
        for f in own:
            drawn = [float(r["estimate"]) for r in draws if r["form"] == f["form"]]
            if drawn:
                far = sum(abs(v) >= abs(f["estimate"] or 0.0) - 1e-12 for v in drawn)
                scope.add(far, len(drawn), min(drawn), max(drawn), f["estimate"])
        for f in own:
            self._drawn_of_place(scope, f)
        rows = [r for r in self.table("series") if (r["group"], r["outcome"]) in names]
        gaps = sum(r["is_gap"] == "true" for r in rows)
        known = [r for r in rows if r["observed"] and r["benchmark"]]
        if known:
            last = (float(known[-1][n]) for n in ("observed", "benchmark"))
            scope.add(*last, known[-1]["period"], gaps)
        scope.records += [(*means, gaps) for means in self._moving_means(names)]

    def _drawn_of_place(self, scope: Scope, f: Mapping[str, Any]) -> None:
        """Add what the trend of one neighbourhood says: its last year, and its gaps."""
        names = (f["initiative"], f["neighbourhood"], f["outcome"])
        rows = [
            r
            for r in self.table("neighbourhood_series")
            if (r["initiative"], r["neighbourhood"], r["outcome"]) == names
        ]
        known = [r for r in rows if r["observed"] and r["benchmark"]]
        if known:
            last = (float(known[-1][n]) for n in ("observed", "benchmark"))
            scope.add(*last, known[-1]["period"], sum(not r["observed"] for r in rows))

    def table(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table."""
        with (self.path / "data" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _json(self, name: str) -> Any:
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def _checks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.annexes.get("checks", {"values": {"checks": []}})["values"][
            "checks"
        ]
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
                    made.append((*means, *numbers_of(rows[i]["period"]), 12.0))
        return made

    def _literals(self) -> set[str]:
        """Return texts with digits that the study, its releases and its versions bring."""
        found: set[str] = set()

        def take(value: Any) -> None:
            if isinstance(value, str):
                found.update([value] if re.search(r"\d\D|\D\d", value) else [])
            elif isinstance(value, Mapping):
                for item in value.values():
                    take(item)
            elif isinstance(value, list):
                for item in value:
                    take(item)

        take(
            [
                self.run["plan"],
                self.run["releases"],
                self.run["versions"],
                self.run["title"],
                self.run["notes"],
            ]
        )
        for name in ("stories", "events", "themes"):
            if (self.path / "data" / f"{name}.csv").exists():
                take(self.table(name))
        periods: dict[tuple[str, str], list[str]] = {}
        for row in self.table("series"):
            periods.setdefault((row["group"], row["outcome"]), []).append(row["period"])
        found.update(f"{own[0]} to {own[-1]}" for own in periods.values())
        for name, column in (("series", "unit"), ("event_time", "when"), ("value_costs", "source")):
            if (self.path / "data" / f"{name}.csv").exists():
                take(sorted({row[column] for row in self.table(name)}))
        take([a["values"] for name, a in self.annexes.items() if name != "checks"])
        for f in self.findings:
            take([f[name] for name in ("pre", "post", "unit", "label", "group")])
        if (self.path / "data" / "events.csv").exists():
            found.update(f", {row['date']})" for row in self.table("events"))
        take(self.design["seal"]["covers"])
        take([r["covariate"].replace("_", " ") for r in self.design["balance"]])
        found.update(f"{n} {v}" for n, v in self.run["versions"].items())
        return found | {d["start"] for d in self.design["designs"]}

    def _scope(self, key: str) -> Scope:
        scope = Scope()
        whole = [f for f in self.findings if f["neighbourhood"] is None and f["outcome"]]
        if key in {"answer", "found", "one-by-one", "evidence"}:
            scope.add_rows(self.findings, ("group", "outcome", "verdict", "form"))
            judged = [f for f in whole if _is_main(f, whole)]
            for group in {f["group"] for f in judged}:
                own = [str(f["verdict"]) for f in judged if f["group"] == group]
                scope.add(len(own), *(own.count(v) for v in set(own)), 0)
            for keys in {(f["group"], f["outcome"], f["form"]) for f in self.findings}:
                own = [
                    str(f["verdict"])
                    for f in self.findings
                    if f["neighbourhood"] is not None and (f["group"], f["outcome"], f["form"]) == keys
                ]
                scope.add(len(own), *(own.count(v) for v in set(own)))
        for name, annex in self.annexes.items():
            if SECTIONS.get(name, name.replace("_", "-")) == key:
                self._annex(scope, annex)
        self._of_findings(scope, key, whole)
        if key in {"who", "map-section", "notes"}:
            scope.add_rows(self.design["areas"], ("role", "reason", "initiative"))
            scope.add_rows(self.design["designs"], ("initiative", "claim"))
            self._map(scope)
        if key == "balance":
            self._balance(scope)
        if key == "find":
            scope.add({"pages": [(d["initiative"], d["neighbourhood"]) for d in self.design["designs"]]})
            scope.add(len({(d["initiative"], d["neighbourhood"]) for d in self.design["designs"]}))
        if key in {"method", "data", "seal"}:
            scope.add(self.run["plan"])
            scope.add_rows(self.run["releases"]).add_rows(self.run["gaps"])
            scope.add({"designs": len(self.design["designs"])})
            scope.records.append((20.0, 10.0, 60.0, 0.1, 0.25, 2.0, 3.0, 1.0))  # its rules
        return scope

    def _of_findings(self, scope: Scope, key: str, whole: Sequence[Mapping[str, Any]]) -> None:
        """Add what a section of the annex says of all findings beside their own numbers."""
        if key in {"trends", "chance"}:
            for f in whole:
                self._drawn(scope, [f], {(f["group"], f["outcome"])})
        if key == "found":
            scope.records.append((80.0, 100.0))  # of 100 such cases
        if key == "evidence":
            self._imbalance(scope, whole)
            scope.add(range(1, 6), [f["n_neighbourhoods"] for f in whole])

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
            for row in rows:  # a row with the values that hold for all, or for its survey
                more = values.get("asked", values).get(row.get("survey", ""), values)
                scope.add(row, {k: v for k, v in more.items() if not isinstance(v, (list, Mapping))})
            scope.add(len(rows), 40)  # rows shown of a long table
            scope.add(len(rows), 6)  # families there are
        if annex["name"] == "checks":
            self._answers(scope, values["checks"])

    def _answers(self, scope: Scope, checks: Sequence[Mapping[str, Any]]) -> None:
        states = [_worst(c) for c in checks]
        scope.add(len(states), *(states.count(s) for s in set(states)), 0)
        findings = {(f["group"], f["outcome"]): f for f in self.findings if f["neighbourhood"] is None}
        for check in checks:
            told = [a["status"] for a in check["findings"]]
            scope.add(len(told), sum(s != "not estimable" for s in told), *(told.count(s) for s in set(told)))
            for answer in check["findings"]:
                own = findings.get((answer["group"], answer["outcome"]), {})
                others = answer["numbers"].get("turning", 1) - 1
                scope.add(answer["numbers"], others, {"n": own.get("n_neighbourhoods")})
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
        scope.add(
            roles.count("treated"),
            roles.count("benchmark"),
            len(roles) - roles.count("treated") - roles.count("benchmark"),
        )
        reasons = [a["reason"] for a in areas if a["role"] == "left out"]
        many = sorted((reasons.count(r) for r in set(reasons)), reverse=True)
        scope.add(sum(many[3:]))  # those the key calls other reasons
        if values:
            cuts = [_quantile(values, q) for q in (0.25, 0.5, 0.75)]
            counts = [
                sum(v >= low - 1e-6 and v < high - 1e-6 for v in values)
                for low, high in zip([-1.0, *cuts], [*cuts, 1e9], strict=True)
            ]
            scope.add(*cuts, *counts)

    def _imbalance(self, scope: Scope, findings: Sequence[Mapping[str, Any]]) -> None:
        """Add how far each group lies from its benchmark areas, its areas counting the same."""
        for f in findings:
            every = ("All initiatives", "Resident-led against other initiatives")
            own = {
                d["neighbourhood"]: len(d["areas"])
                for d in self.design["designs"]
                if d["claim"] == f["claim"] or f["claim"] == "contrast"
                if d["initiative"] == f["group"] or f["group"] in every
            }
            sums: dict[str, float] = {}
            for row in self.design["balance"]:
                known = row["smd_after"] is not None and row["claim"] in {f["claim"], "change"}
                if known and row["neighbourhood"] in own:
                    added = own[row["neighbourhood"]] * row["smd_after"]
                    sums[row["covariate"]] = sums.get(row["covariate"], 0.0) + added
            scope.records += [(abs(v / sum(own.values())),) for v in sums.values()]

    def _balance(self, scope: Scope) -> None:
        rows = self.design["balance"]
        for claim in {r["claim"] for r in rows}:
            after: dict[str, list[float]] = {}
            for r in rows:
                if r["claim"] == claim:
                    known = [abs(r["smd_after"])] if r["smd_after"] is not None else []
                    after.setdefault(r["covariate"], []).extend(known)
            means = [math.fsum(v) / len(v) for v in after.values() if v]
            scope.add(sum(m > 0.1 for m in means), len(after), min(15, len(means)))


#: Annexes whose section is not named like them.
SECTIONS = {"checks": "does-it-hold"}


def _with_shares(finding: dict[str, Any]) -> dict[str, Any]:
    """Add the shares that a finding in points gives in per cent."""
    if finding["unit"] != "percentage points":
        return finding
    amounts = (finding["observed"], finding["counterfactual"])
    return finding | {"shares": [a / 100 for a in amounts if a is not None]}


def _card(finding: Mapping[str, Any]) -> str:
    if finding["neighbourhood"] is not None:
        return f"{finding['neighbourhood']}, {finding['initiative']}"
    group = finding["group"]
    group = "All initiatives together" if group == "All initiatives" else group
    return f"{finding['label'][:1].upper()}{finding['label'][1:]}: {group}"


def _is_main(finding: Mapping[str, Any], among: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether a finding is told on its own: a ratio before the rate that goes with it."""
    same_outcome = [
        f
        for f in among
        if (f["group"], f["outcome"], f["claim"]) == (finding["group"], finding["outcome"], finding["claim"])
    ]
    return finding["form"] == "ratio" or not any(f["form"] == "ratio" for f in same_outcome)


def _quantile(values: Sequence[float], q: float) -> float:
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def _worst(check: Mapping[str, Any]) -> str:
    """Return the status of a check: the worst of its findings'."""
    found = {f["status"] for f in check["findings"]}
    order = ("warns", "for information", "holds", "not estimable")
    return next((s for s in order if s in found), "not estimable")
