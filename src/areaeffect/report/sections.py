"""What each part of the page shows: tables and short texts made from a result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from areaeffect import wording
from areaeffect.document.blocks import Bullets
from areaeffect.document.chart_tables import NONE_GIVEN, Columns, Table
from areaeffect.outcomes import FAMILIES
from areaeffect.results import Finding, Interval, NeighbourhoodDesign, Release, Result, Verdict
from areaeffect.wording import numbers
from areaeffect.wording.numbers import (
    PHRASES,
    amounts,
    interval_head,
    known,
    number,
    plural,
    signed,
    signed_interval,
    size,
    total,
)

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
    """Return every outcome of one group: verdict, size, amounts, power and chance."""
    rows = []
    for f in findings:
        name = wording.name_of(f) + (" (level)" if f.claim == "level" else "")
        verdict = f"{numbers.VERDICT_SYMBOLS[f.verdict]} {wording.verdict_name(f.verdict)}"
        if known(f.estimate) is None:
            rows.append((name, f"{verdict}: {wording.reason(f)}", "–", "–", "–", "–", "–"))
            continue
        held = f": {f.held_back}" if f.held_back and f.verdict is Verdict.CANNOT_TELL else ""
        rows.append(
            (
                name,
                f"{verdict}{held}",
                f"{_with_unit(signed(f.estimate, f), f)} ({_ends(f.low, f.high, f)})",
                *_amounts(f),
                size(f.mde, f),
                NONE_GIVEN if f.claim == "level" else p_words(f.p_value),
            )
        )
    head = (
        "Outcome",
        "Verdict",
        f"Estimate ({interval_head(findings)})",
        "Observed",
        "Expected",
        "Smallest detectable",
        "p",
    )
    first = findings[0]
    areas = f"{plural(first.n_neighbourhoods, 'neighbourhood')}, {plural(first.n_areas, 'area')}"
    return Table(f"{group}: {areas}", head, tuple(rows), frozenset({2, 3, 4, 5, 6}))


def _ends(low: float | None, high: float | None, f: Finding) -> str:
    """Write an interval that follows its estimate in brackets, without repeating the unit."""
    return signed_interval(low, high, f).replace("%", "")


def _amounts(f: Finding) -> tuple[str, str]:
    both = amounts(f)
    if both is None:
        return "–", "–"
    return total(both[0], f), total(both[1], f)


def families_by_group(groups: Mapping[str, Sequence[Finding]]) -> Table:
    """Return verdict and estimate of every outcome, one column a group; contrasts are left out."""
    cells: dict[tuple[str, str, str], dict[str, str]] = {}
    main = {group: wording.main_findings(findings) for group, findings in groups.items()}
    main = {g: own for g, own in main.items() if any(f.claim != "contrast" for f in own)}
    for group, findings in main.items():
        for f in findings:
            verdict = f"{numbers.VERDICT_SYMBOLS[f.verdict]} {wording.verdict_name(f.verdict)}"
            if known(f.estimate) is not None:
                verdict += f", {_with_unit(signed(f.estimate, f), f)}"
            cells.setdefault((f.family, wording.name_of(f), f.claim), {})[group] = verdict
    order = {family: i for i, family in enumerate(FAMILIES)}
    ordered = sorted(cells.items(), key=lambda item: order.get(item[0][0], len(order)))
    rows = tuple(
        (label + (" (level)" if claim == "level" else ""), *(own.get(g, "–") for g in main))
        for (_, label, claim), own in ordered
    )
    return Table("Outcomes by group", ("Outcome", *map(wording.group_title, main)), rows)


def neighbourhood_findings(result: Result) -> dict[str, list[Finding]]:
    """Return the findings of single neighbourhoods by group, ratios before their rates."""
    kinds: dict[str, list[Finding]] = {}
    ratios = {
        (f.group, f.outcome, f.claim)
        for f in result.findings
        if f.neighbourhood is not None and f.form == "ratio"
    }
    for f in result.findings:
        is_rate = f.form != "ratio" and (f.group, f.outcome, f.claim) in ratios
        if f.neighbourhood is not None and not is_rate:
            kinds.setdefault(f.group, []).append(f)
    return kinds


def places_table(findings: Sequence[Finding]) -> Table:
    """Return every neighbourhood of a group by name: a column for each outcome."""
    columns = list(dict.fromkeys((f.outcome, f.claim, _column(f)) for f in findings))
    cells: dict[str, dict[tuple[str, str, str], str]] = {}
    for f in sorted(findings, key=lambda f: f.neighbourhood or ""):
        text = "–"
        if known(f.estimate) is not None:
            text = f"{signed(f.estimate, f)} ({_ends(f.low, f.high, f)})"
        cells.setdefault(f.neighbourhood or "", {})[f.outcome, f.claim, _column(f)] = text
    rows = tuple((place, *(own.get(column, "–") for column in columns)) for place, own in cells.items())
    caption = f"{wording.group_title(findings[0].group)}: estimate and {interval_head(findings)}, by name"
    head = ("Neighbourhood", *(name for _, _, name in columns))
    return Table(caption, head, rows, frozenset(range(1, len(head))))


def _column(f: Finding) -> str:
    unit = f", {f.unit}" if f.form == "additive" and f.unit else ""
    return f"{wording.name_of(f)}{' (level)' if f.claim == 'level' else ''}{unit}"


def further_findings(result: Result) -> Table | None:
    """Return whole-group findings outside the main set that no card mentions."""
    shown = set()
    for group in dict.fromkeys(f.group for f in result.findings):
        own = [f for f in result.findings if f.group == group]
        for main in wording.main_findings(own):
            shown |= {id(main), id(wording.additive_companion(main, own))}
    rest = [f for f in result.findings if f.neighbourhood is None and f.outcome and id(f) not in shown]
    if not rest:
        return None
    head = ("Group", "Outcome", "Form", "Verdict", "Estimate", interval_head(rest), "Smallest detectable")
    rows = tuple(
        (wording.group_title(f.group), f.label, "ratio" if f.form == "ratio" else f.unit, *_short_cells(f))
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
        others.items(), key=lambda item: (item[0][0] != "benchmark", item[0][0], -item[1], item[0][1])
    )
    rows += [(role, why.replace("_", " ") or _PARTS.get(role, ""), f"{n:,}") for (role, why), n in ordered]
    rows.append(("all areas", "", f"{len(result.areas):,}"))
    return Table(PHRASES["annex.areas_part"], ("Part", "Which, or why", "Areas"), tuple(rows), frozenset({2}))


def designs(result: Result) -> Table | None:
    """Return one line for each neighbourhood and claim: who it was compared with, and how well."""
    if not result.designs:
        return None
    columns: dict[str, Callable[[NeighbourhoodDesign], str]] = {
        "Initiative": lambda d: d.initiative,
        "Neighbourhood": lambda d: d.neighbourhood,
        "Claim": lambda d: d.claim,
        "Start": lambda d: d.start,
        "Areas": lambda d: f"{len(d.areas):,}",
        "Comparison pool": lambda d: f"{d.n_pool:,}",
        "Benchmark areas": lambda d: f"{len(d.benchmark_areas):,}",
        "Effective number": lambda d: number(d.n_effective, "additive"),
        "Calibration": lambda d: "exact" if d.exact else "not exact",
        "Worst imbalance": lambda d: number(d.imbalance, "additive", 3),
        "Periods left out": lambda d: _span(d.periods_left_out),
    }
    words = {"Initiative", "Neighbourhood", "Claim", "Start", "Calibration", "Periods left out"}
    for name in ("Initiative", "Claim"):
        if len({columns[name](d) for d in result.designs}) == 1:
            del columns[name]
    if not any(d.periods_left_out for d in result.designs):
        del columns["Periods left out"]
    numeric = (i for i, name in enumerate(columns) if name not in words)
    return Table.of("Neighbourhoods and their benchmark areas", result.designs, columns, numeric)


def _span(periods: Sequence[str]) -> str:
    if len(periods) < 2:  # noqa: PLR2004
        return "".join(periods)
    return f"{len(periods)}, from {periods[0]} to {periods[-1]}"


def heaviest(result: Result) -> dict[str, list[Bullets]]:
    """Return the heaviest benchmark areas of each neighbourhood, one list a kind of claim."""
    names = {area.area: area.name for area in result.areas}
    made: dict[str, list[Bullets]] = {}
    both = len({d.claim for d in result.designs}) > 1
    for d in result.designs:
        pairs = sorted(zip(d.benchmark_areas, d.weights, strict=True), key=lambda p: (-p[1], p[0]))
        lines = tuple(
            f"{names.get(code, '')} ({code}), weight {weight:.2f}".lstrip()
            for code, weight in pairs[:HEAVIEST]
        )
        title = f"{d.neighbourhood}, {d.initiative}"
        made.setdefault(title, []).append(Bullets(lines, f"For {d.claim}s" if both else "", "areas"))
    return made


def releases(result: Result) -> Table:
    """Return every file that was read: rows, licence, hash."""
    columns: Columns[Release] = {
        "Source": lambda r: r.source,
        "File": lambda r: r.file,
        "Rows read": lambda r: f"{r.rows_read:,}",
        "Kept": lambda r: f"{r.rows_kept:,}",
        "Rejected": lambda r: f"{r.rows_rejected:,}",
        "Licence and credit": lambda r: (
            ". ".join(part.rstrip(".") for part in (r.licence, r.attribution) if part) or NONE_GIVEN
        ),
        "SHA-256": lambda r: r.sha256,
    }
    return Table.of("Data as they were read", result.releases, columns, {2, 3, 4})


def gaps(result: Result) -> Table:
    """Return the cells that are missing, and why."""
    rows = tuple(
        (g.source, g.outcome, g.group, g.first, g.last, f"{g.n_areas:,}", g.reason.replace("_", " "))
        for g in result.gaps
    )
    head = ("Source", "Outcome", "Where", "First", "Last", "Areas", "Reason")
    return Table(PHRASES["annex.gaps_cells"], head, rows, frozenset({5}))


def _with_unit(text: str, finding: Finding) -> str:
    return f"{text} {finding.unit}" if finding.form == "additive" and finding.unit else text


def _short_cells(f: Finding) -> tuple[str, str, str, str]:
    verdict = f"{numbers.VERDICT_SYMBOLS[f.verdict]} {f.verdict}"
    if known(f.estimate) is None:
        return f"{verdict}: {wording.reason(f)}", "–", "–", "–"
    return verdict, signed(f.estimate, f), signed_interval(f.low, f.high, f), size(f.mde, f)


def technical(findings: Sequence[Finding]) -> Table | None:
    """Return what a technical reader asks of each finding beside what is printed of it."""
    columns: Columns[Finding] = {
        "Group": lambda f: wording.group_title(f.group),
        "Outcome": wording.name_of,
        "95% interval, this outcome alone": lambda f: (
            signed_interval(f.single.low, f.single.high, f) if f.single else "–"
        ),
        "p, step-down": lambda f: "–" if f.claim == "level" else p_words(f.p_step_down),
        "Centre of placebo estimates (error)": _with_error,
        "Gap in the held-out year (90% interval)": _held_out,
        "Benchmark areas (effective)": _benchmark_areas,
    }
    estimated = [f for f in findings if known(f.estimate) is not None]
    table = Table.of("Each finding: the numbers behind it", estimated, columns, range(2, len(columns)))
    return table if estimated else None


def _with_error(f: Finding) -> str:
    if known(f.bias) is None:
        return "–"
    error = "" if known(f.bias_error) is None else f" ({size(f.bias_error, f)})"
    return signed(f.bias, f) + error


def _benchmark_areas(f: Finding) -> str:
    if f.n_benchmark_areas is None:
        return "–"
    effective = known(f.n_effective)
    return f"{f.n_benchmark_areas:,}" + ("" if effective is None else f" ({effective:,.0f})")


def _held_out(f: Finding) -> str:
    held = f.held_out_interval
    if known(f.held_out) is None or held is None:
        return "–"
    return f"{signed(f.held_out, f)} ({_ends(held.low, held.high, f)})"


def companions(findings: Sequence[Finding]) -> Table | None:
    """Return the intervals of other kinds, a row a finding and a column a kind."""
    kinds = list(dict.fromkeys(c.kind for f in findings for c in f.companions))
    rows = tuple(
        (
            wording.group_title(f.group),
            wording.name_of(f),
            *(next((_companion(c, f) for c in f.companions if c.kind == kind), "–") for kind in kinds),
        )
        for f in findings
        if f.companions
    )
    if not rows:
        return None
    head = ("Group", "Outcome", *(f"{kind[:1].upper()}{kind[1:]}" for kind in kinds))
    caption = "Intervals of other kinds, with their p-values"
    return Table(caption, head, rows, frozenset(range(2, len(head))))


def _companion(c: Interval, f: Finding) -> str:
    return f"{signed_interval(c.low, c.high, f)} (p {p_words(c.p_value)})"
