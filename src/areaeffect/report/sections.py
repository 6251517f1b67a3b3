"""What each part of the page shows: tables and short texts made from a result."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from areaeffect import wording
from areaeffect.document.blocks import Bullets
from areaeffect.document.chart_tables import NONE_GIVEN, Table
from areaeffect.outcomes import FAMILIES
from areaeffect.results import Finding, Result
from areaeffect.wording import terms
from areaeffect.wording.numbers import (
    amounts,
    is_count,
    known,
    noun,
    number,
    percent,
    plural,
    signed,
    signed_interval,
    size,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAVIEST = 20  # benchmark areas named for each neighbourhood
SMALLEST_P = 0.001
_PARTS = {"benchmark": "compared with, by weight"}


def p_words(value: float | None) -> str:
    """Write a p-value with three decimals, or that there is none."""
    finite = known(value)
    if finite is None:
        return NONE_GIVEN
    return f"under {SMALLEST_P}" if finite < SMALLEST_P else f"{finite:.3f}"


def results_table(findings: Sequence[Finding], group: str) -> Table:
    """Return the table of the families of one group."""
    rows = []
    for f in findings:
        family, label = wording.family_title(f.family), wording.name_of(f)
        name = family if family == label else f"{family}: {f.label}"
        verdict = f"{terms.VERDICT_SYMBOLS[f.verdict]} {f.verdict}"
        if known(f.estimate) is None:
            rows.append((name, f.claim, f"{verdict}: {wording.reason(f)}", "–", "–", "–", "–"))
            continue
        first = (name, f.claim, verdict)
        rows.append(
            (
                *first,
                _with_unit(signed(f.estimate, f), f),
                signed_interval(f.low, f.high, f),
                size(f.mde, f),
                NONE_GIVEN if f.claim == "level" else p_words(f.p_value),
            )
        )
    head = (
        "Outcome family",
        "Claim",
        "Verdict",
        "Estimate",
        "95% interval",
        "Smallest detectable",
        "p",
    )
    return Table(f"Results by outcome family: {group}", head, tuple(rows), frozenset({3, 4, 5, 6}))


def families_by_group(groups: Mapping[str, Sequence[Finding]]) -> Table:
    """Return verdict and estimate of every outcome, one column a group; contrasts stand apart."""
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    main = {group: wording.main_findings(findings) for group, findings in groups.items()}
    main = {g: own for g, own in main.items() if any(f.claim != "contrast" for f in own)}
    for group, findings in main.items():
        for f in findings:
            verdict = f"{terms.VERDICT_SYMBOLS[f.verdict]} {wording.verdict_name(f.verdict)}"
            if known(f.estimate) is not None:
                verdict += f", {_with_unit(signed(f.estimate, f), f)}"
            cells.setdefault((f.family, wording.name_of(f), f.claim), {})[group] = verdict
    order = {family: i for i, family in enumerate(FAMILIES)}
    ordered = sorted(cells.items(), key=lambda item: order.get(item[0][0], len(order)))
    rows = tuple(
        (wording.family_title(family), label, claim, *(own.get(g, "–") for g in main))
        for (family, label, claim), own in ordered
    )
    head = ("Family", "Outcome", "Claim", *map(wording.group_title, main))
    return Table("Outcome families by group", head, rows)


def neighbourhood_findings(result: Result) -> list[list[Finding]]:
    """Return the findings of single neighbourhoods, one list a group, outcome and form."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for f in result.findings:
        if f.neighbourhood is not None:
            kinds.setdefault((f.group, wording.name_of(f), f.form), []).append(f)
    return list(kinds.values())


def places_table(findings: Sequence[Finding]) -> Table:
    """Return one outcome in every neighbourhood of a group."""
    first = findings[0]
    unit = f", in {first.unit}" if first.form == "additive" else ""
    return Table(
        f"{wording.name_of(first)}, {wording.group_title(first.group)}{unit}",
        ("Neighbourhood", "Verdict", "Estimate", "95% interval", "Smallest detectable"),
        tuple((f.neighbourhood or "", *_short_cells(f)) for f in findings),
        frozenset({2, 3, 4}),
    )


def further_findings(result: Result) -> Table | None:
    """Return whole-group findings outside the main set that no card mentions."""
    shown = set()
    for group in dict.fromkeys(f.group for f in result.findings):
        own = [f for f in result.findings if f.group == group]
        for main in wording.main_findings(own):
            shown |= {id(main), id(wording.additive_companion(main, own))}
    rest = [
        f for f in result.findings if f.neighbourhood is None and f.outcome and id(f) not in shown
    ]
    if not rest:
        return None
    head = (
        "Group",
        "Outcome",
        "Form",
        "Verdict",
        "Estimate",
        "95% interval",
        "Smallest detectable",
    )
    rows = tuple(
        (
            wording.group_title(f.group),
            f.label,
            "ratio" if f.form == "ratio" else f.unit,
            *_short_cells(f),
        )
        for f in rest
    )
    return Table("Further findings, outside the main set", head, rows, frozenset({4, 5, 6}))


def analysed(result: Result) -> Table:
    """Return how many areas were analysed and how many were left out, by reason."""
    treated = Counter((a.initiative,) for a in result.areas if a.role == "treated")
    places = Counter(
        i for i, _ in {(a.initiative, a.neighbourhood) for a in result.areas if a.role == "treated"}
    )
    rows = [
        ("treated", f"{name or 'initiative'}: {plural(places[name], 'neighbourhood')}", f"{n:,}")
        for (name,), n in sorted(treated.items())
    ]
    others = Counter((a.role, a.reason) for a in result.areas if a.role != "treated")
    ordered = sorted(
        others.items(),
        key=lambda item: (item[0][0] != "benchmark", item[0][0], -item[1], item[0][1]),
    )
    rows += [
        (role, why.replace("_", " ") or _PARTS.get(role, ""), f"{n:,}")
        for (role, why), n in ordered
    ]
    rows.append(("all areas", "", f"{len(result.areas):,}"))
    return Table(
        "Areas by the part they play, and why",
        ("Part", "Which, or why", "Areas"),
        tuple(rows),
        frozenset({2}),
    )


def designs(result: Result) -> Table | None:
    """Return one line for each neighbourhood and claim: who it was compared with, and how well."""
    if not result.designs:
        return None
    columns: list[tuple[str, list[str], bool]] = [
        ("Initiative", [d.initiative for d in result.designs], False),
        ("Neighbourhood", [d.neighbourhood for d in result.designs], False),
        ("Claim", [d.claim for d in result.designs], False),
        ("Start", [d.start for d in result.designs], False),
        ("Areas", [f"{len(d.areas):,}" for d in result.designs], True),
        ("Comparison pool", [f"{d.n_pool:,}" for d in result.designs], True),
        ("Benchmark areas", [f"{len(d.benchmark_areas):,}" for d in result.designs], True),
        ("Effective number", [number(d.n_effective, "additive") for d in result.designs], True),
        ("Calibration", ["exact" if d.exact else "not exact" for d in result.designs], False),
        ("Worst imbalance", [number(d.imbalance, "additive", 3) for d in result.designs], True),
        ("Periods left out", [", ".join(d.periods_left_out) for d in result.designs], False),
    ]
    if len(set(columns[0][1])) == 1:
        del columns[0]
    if not any(columns[-1][1]):
        del columns[-1]
    return Table(
        "Neighbourhoods and their benchmark areas",
        tuple(name for name, _, _ in columns),
        tuple(zip(*(cells for _, cells, _ in columns), strict=True)),
        frozenset(i for i, (_, _, numeric) in enumerate(columns) if numeric),
    )


def heaviest(result: Result) -> dict[str, list[Bullets]]:
    """Return the heaviest benchmark areas of each neighbourhood, one list a kind of claim."""
    names = {area.area: area.name for area in result.areas}
    made: dict[str, list[Bullets]] = {}
    for d in result.designs:
        pairs = sorted(zip(d.benchmark_areas, d.weights, strict=True), key=lambda p: (-p[1], p[0]))
        lines = tuple(
            f"{names.get(code, '')} ({code}), weight {weight:.2f}".lstrip()
            for code, weight in pairs[:HEAVIEST]
        )
        title = f"{d.neighbourhood}, {d.initiative}"
        made.setdefault(title, []).append(Bullets(lines, f"For {d.claim} claims", "areas"))
    return made


def releases(result: Result) -> Table:
    """Return every file that was read: rows, licence, hash."""
    rows = tuple(
        (
            r.source,
            r.file,
            f"{r.rows_read:,}",
            f"{r.rows_kept:,}",
            f"{r.rows_rejected:,}",
            r.licence or NONE_GIVEN,
            r.attribution or NONE_GIVEN,
            r.sha256,
        )
        for r in result.releases
    )
    head = (
        "Source",
        "File",
        "Rows read",
        "Kept",
        "Rejected",
        "Licence",
        "Attribution",
        "SHA-256",
    )
    return Table("Data as they were read", head, rows, frozenset({2, 3, 4}))


def gaps(result: Result) -> Table:
    """Return the cells that are missing, and why."""
    rows = tuple(
        (
            g.source,
            g.outcome,
            g.group,
            g.first,
            g.last,
            f"{g.n_areas:,}",
            g.reason.replace("_", " "),
        )
        for g in result.gaps
    )
    head = ("Source", "Outcome", "Where", "First", "Last", "Areas", "Reason")
    return Table("Gaps: cells that are missing, which is not zero", head, rows, frozenset({5}))


def _with_unit(text: str, finding: Finding) -> str:
    return f"{text} {finding.unit}" if finding.form == "additive" and finding.unit else text


def _short_cells(f: Finding) -> tuple[str, str, str, str]:
    verdict = f"{terms.VERDICT_SYMBOLS[f.verdict]} {f.verdict}"
    if known(f.estimate) is None:
        return f"{verdict}: {wording.reason(f)}", "–", "–", "–"
    return verdict, signed(f.estimate, f), signed_interval(f.low, f.high, f), size(f.mde, f)


def facts(f: Finding) -> tuple[tuple[str, str], ...]:
    """Return the numbers of a card, name and value; nothing where there is no estimate."""
    if known(f.estimate) is None:
        return ()
    level = f.claim == "level"
    pairs = [("Estimate", _with_unit(signed(f.estimate, f), f))]
    pairs.append((f"{percent(f.level)} placebo interval", signed_interval(f.low, f.high, f)))
    both = amounts(f)
    if both is not None:
        pairs.append(("Observed", total(both[0], f) + noun(f)))
        name = "Benchmark areas" if level else "Expected without it"
        pairs.append((name, total(both[1], f) + noun(f)))
    if known(f.avoided) is not None and not level and is_count(f):
        more = "Avoided" if (f.avoided or 0) >= 0 else "More than expected"
        pairs.append((more, total(abs(f.avoided or 0), f) + noun(f)))
    pairs.append(("Smallest detectable (80% power)", size(f.mde, f, unit=True)))
    pairs.append(("Smallest effect of interest", size(f.threshold, f, unit=True)))
    if not level:
        pairs.append(("p-value, placebo", p_words(f.p_value)))
    if known(f.held_out) is not None and f.held_out_interval is not None:
        held = f.held_out_interval
        inside = f"{signed(f.held_out, f)} ({percent(held.level)} interval "
        inside += f"{signed_interval(held.low, held.high, f)})"
        pairs.append(("Gap before the start, held out", inside))
    if f.n_benchmark_areas is not None:
        effective = (
            ""
            if known(f.n_effective) is None
            else f" (effective number {number(f.n_effective, 'additive')})"
        )
        pairs.append(("Benchmark areas used", f"{f.n_benchmark_areas:,}{effective}"))
    if known(f.bias) is not None:
        error = (
            "" if known(f.bias_error) is None else f" (Monte Carlo error {size(f.bias_error, f)})"
        )
        pairs.append(("Centre of the placebo estimates, not subtracted", signed(f.bias, f) + error))
    return tuple(pairs)


def annex_facts(f: Finding) -> tuple[tuple[str, str], ...]:
    """Return what a technical reader asks of a finding beside what is printed of it."""
    if known(f.estimate) is None:
        return ()
    pairs = [("Outcomes that the printed interval holds for at once", str(f.n_together))]
    if f.claim != "level":
        pairs.append(("p-value, step-down", p_words(f.p_step_down)))
    if known(f.exaggeration) is not None:
        words = f"{number(f.exaggeration, 'additive', 2)} times"
        pairs.append(("Exaggeration to expect at the smallest detectable effect", words))
    return tuple(pairs)


def companions(f: Finding) -> Table | None:
    """Return the intervals beside the printed one: of this outcome alone, and of other kinds."""
    others = (*((f.single,) if f.single else ()), *f.companions)
    if not others:
        return None
    rows = tuple(
        (
            c.kind,
            percent(c.level),
            c.alternative,
            signed_interval(c.low, c.high, f),
            p_words(c.p_value),
        )
        for c in others
    )
    return Table(
        "Intervals of other kinds",
        ("Kind", "Level", "Alternative", "Interval", "p"),
        rows,
        frozenset({3, 4}),
    )
