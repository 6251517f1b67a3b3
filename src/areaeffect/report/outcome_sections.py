"""The annex: every result, over time, against chance, how strong, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from areaeffect import wording
from areaeffect.document.blocks import (
    Beside,
    Block,
    Bullets,
    Code,
    Data,
    Folded,
    Links,
    Paragraph,
    Section,
    SectionPlace,
)
from areaeffect.document.chart_tables import NONE_GIVEN, Figure, Table
from areaeffect.further.stories import events_of
from areaeffect.outcomes import FAMILIES
from areaeffect.records import Json
from areaeffect.report import figures, sections
from areaeffect.results import ALL_INITIATIVES, Finding, Result
from areaeffect.wording import numbers
from areaeffect.wording.numbers import PHRASES, phrase, plural

MANY = 60  # with more, single neighbourhoods are on their own pages alone


def by_group(result: Result) -> dict[str, list[Finding]]:
    """Return the findings of each group, in the order of the result."""
    groups: dict[str, list[Finding]] = {}
    for finding in result.findings:
        groups.setdefault(finding.group, []).append(finding)
    return groups


def leading_group(result: Result) -> str:
    """Return the group that a report leads with: all initiatives together, else the first."""
    groups = by_group(result)
    return ALL_INITIATIVES if ALL_INITIATIVES in groups else next(iter(groups), "")


def found(result: Result) -> Section:
    """Return every result as a table a group, then what a technical reader asks of each."""
    groups = by_group(result)
    main = {name: wording.main_findings(own) for name, own in groups.items()}
    blocks: list[Block] = [Paragraph(PHRASES["annex.no_findings"])] if not groups else []
    for name, own in main.items():
        blocks.append(Paragraph(wording.overall(groups[name]), begins=f"{_title(name)}."))
        if own:
            blocks.append(Data(sections.results_table(own, _title(name)), "findings"))
    blocks.append(Paragraph(PHRASES["annex.key"], note=True))
    missing = [
        family.title
        for key, family in FAMILIES.items()
        if groups and key not in {f.family for f in result.findings if f.outcome}
    ]
    if missing and all(a.name != "families_without_outcome" for a in result.annexes):
        blocks.append(Paragraph(PHRASES["annex.not_studied"].format(names=", ".join(missing))))
    every = [f for own in main.values() for f in own]
    for table, printed in ((sections.technical(every), None), (sections.companions(every), "")):
        if table is not None:
            blocks.append(Folded(table.caption, (Data(table, "findings"),), in_print=printed))
    further = sections.further_findings(result)
    blocks += [Data(further, "findings")] if further else []
    return Section("found", PHRASES["annex.found"], tuple(blocks), place=SectionPlace.ANSWER)


def over_time(result: Result) -> Section | None:
    """Return the trend of every outcome, group by group."""
    paths = {(s.group, s.outcome): s for s in result.series if s.periods}
    parts = []
    for i, (name, findings) in enumerate(by_group(result).items()):
        events = events_of(result, name)
        drawn = [
            figures.trend(f, paths[f.group, f.outcome], events, title=wording.name_of(f))
            for f in wording.main_findings(findings)
            if (f.group, f.outcome) in paths
        ]
        if drawn:
            note = (Paragraph(figures.events_note(events), note=True),) if events else ()
            parts.append(Section(f"trends-{i}", _title(name), (Beside(tuple(drawn)), *note)))
    if not parts:
        return None
    blocks: tuple[Block, ...] = (Paragraph(PHRASES["annex.how_to_read_trends"], note=True),)
    if len(parts) == 1:  # its name says nothing that the title does not
        return Section(
            "trends", PHRASES["annex.trends"], (*blocks, *parts[0].blocks), (), SectionPlace.ANSWER
        )
    return Section("trends", PHRASES["annex.trends"], blocks, tuple(parts), SectionPlace.ANSWER)


def chance(result: Result) -> Section | None:
    """Return each finding among its placebo estimates; print shows the leading group's."""
    draws = {(d.group, d.outcome, d.claim, d.form): d for d in result.placebos}
    drawn: dict[str, list[Figure]] = {}
    for name, findings in by_group(result).items():
        for f in wording.main_findings(findings):
            own = draws.get((f.group, f.outcome, f.claim, f.form))
            figure = figures.placebo(f, own) if own else None
            drawn.setdefault(name, []).extend([figure] if figure else [])
    drawn = {name: own for name, own in drawn.items() if own}
    if not drawn:
        return None
    leads = leading_group(result)
    leads = leads if leads in drawn else next(iter(drawn))
    blocks: list[Block] = [Paragraph(PHRASES["annex.how_to_read_placebos"], note=True)]
    blocks.append(Beside(tuple(drawn.pop(leads))))
    blocks += [
        Folded(_title(name), (Beside(tuple(own)),), "placebo programmes", in_print="")
        for name, own in drawn.items()
    ]
    return Section("chance", PHRASES["annex.chance"], tuple(blocks), place=SectionPlace.ANSWER)


def evidence(result: Result) -> Section | None:
    """Return the grade of each finding, and each caveat once with the findings that have it."""
    main = [f for own in by_group(result).values() for f in wording.main_findings(own)]
    if not main:
        return None
    graded: dict[int | None, list[Finding]] = {}
    for f in main:
        graded.setdefault(f.maryland, []).append(f)
    if len(main) == 1:
        blocks: list[Block] = [Bullets(tuple(map(numbers.maryland_words, graded)))]
    else:
        head = (PHRASES["annex.grade"], PHRASES["annex.whose"])
        by_grade = tuple((numbers.maryland_words(grade), _whose(own, main)) for grade, own in graded.items())
        blocks = [Data(Table(PHRASES["method.grades"], head, by_grade))]
    caveats: dict[str, list[Finding]] = {}
    for f in main:
        for text in f.caveats:
            if not text.startswith(wording.CHECK_WARNS):  # the checks say it, with their numbers
                caveats.setdefault(text, []).append(f)
    ordered = sorted(caveats.items(), key=lambda item: -len(item[1]))
    title = PHRASES["annex.caveats"]
    if len(main) == 1:
        blocks += [Bullets(tuple(caveats), title)] if caveats else []
    elif ordered:
        rows = tuple((text, _whose(own, main)) for text, own in ordered)
        blocks.append(Data(Table(title, (PHRASES["annex.caveat"], PHRASES["annex.whose"]), rows)))
    return Section("evidence", PHRASES["annex.evidence"], tuple(blocks), place=SectionPlace.SAY)


def _whose(own: Sequence[Finding], among: Sequence[Finding]) -> str:
    """Say which findings a text holds for: all, or outcomes by group."""
    if len(own) == len(among):
        return PHRASES["annex.of_all"]
    groups: dict[str, list[str]] = {}
    for f in own:
        groups.setdefault(_title(f.group), []).append(wording.name_of(f))
    whole = {name: sum(_title(f.group) == name for f in among) for name in groups}
    said = [
        name if len(labels) == whole[name] and len(whole) > 1 else f"{wording.listed(labels)} ({name})"
        for name, labels in groups.items()
    ]
    return "; ".join(said)


def places(result: Result, pages: Mapping[str, str]) -> Section | None:
    """Return every neighbourhood as one row with all its outcomes, and where its page is."""
    kinds = sections.neighbourhood_findings(result)
    if not kinds:
        return None
    blocks: list[Block] = [Paragraph(PHRASES["annex.places_lead"])]
    if pages:
        names = [(PHRASES["annex.places_index"], pages["index"])]
        if len(pages) <= MANY:
            names += [(name, path) for name, path in pages.items() if name != "index"]
        blocks.append(Folded(PHRASES["annex.places_pages"], (Links(tuple(names)),), in_print=""))
    tables = [sections.places_table(own) for own in kinds.values()]
    if sum(len(t.rows) for t in tables) > MANY:
        n = plural(len({(f.initiative, f.neighbourhood) for own in kinds.values() for f in own}),
                   "neighbourhood")  # fmt: skip
        note = PHRASES["annex.places_many"].format(n=n)
        blocks += [Folded(t.caption, (Data(t, "findings"),), in_print=note) for t in tables[:1]]
        blocks += [Folded(t.caption, (Data(t, "findings"),), in_print="") for t in tables[1:]]
    else:
        blocks += [Data(t, "findings") for t in tables]
    return Section("one-by-one", PHRASES["annex.places"], tuple(blocks), place=SectionPlace.OUTCOMES)


def _title(group: str) -> str:
    return wording.group_title(group)


def who(result: Result) -> Section:
    """Return who was analysed and who was left out."""
    first = (Paragraph(PHRASES["who.lead"]), Data(sections.analysed(result), "areas"))
    return Section("who", PHRASES["who.title"], first, (), SectionPlace.WHO)


def designs(result: Result) -> Section | None:
    """Return each neighbourhood's benchmark areas: how many, how alike, the heaviest by name."""
    table = sections.designs(result)
    if table is None:
        return None
    shown: Block = Data(table, "benchmark_areas")
    if len(table.rows) > MANY:
        shown = Folded(table.caption, (shown,), in_print="")
    lists = sections.heaviest(result)
    blocks: tuple[Block, ...] = (Paragraph(PHRASES["who.designs_lead"]), shown)
    if len(lists) <= MANY:
        heaviest = tuple(Folded(title, tuple(own)) for title, own in lists.items())
        blocks = (*blocks, Folded(PHRASES["who.heaviest"], heaviest, in_print=""))
    if any(f.neighbourhood is not None for f in result.findings):
        blocks = (*blocks, Paragraph(PHRASES["who.heaviest_lead"], note=True))
    return Section("designs", PHRASES["who.designs"], blocks, (), SectionPlace.WHO)


def area_map(result: Result) -> Section:
    """Return the map, or why there is none."""
    figure = figures.area_map(result)
    shown = figure or Paragraph(PHRASES["who.no_map"])
    return Section("map-section", PHRASES["who.map"], (shown,), (), SectionPlace.WHO)


def balance(result: Result) -> Section:
    """Return how alike treated and benchmark areas are."""
    charts = figures.balance(result)
    blocks: tuple[Block, ...] = (Paragraph(PHRASES["who.balance_none"]),)
    if charts:
        blocks = (Paragraph(PHRASES["who.balance_lead"]), Beside(tuple(charts)))
    return Section("balance", PHRASES["who.balance"], blocks, (), SectionPlace.WHO)


def method(result: Result) -> Section:
    """Return who may be compared, how they are weighted, estimated, tested and judged."""
    plan = result.plan
    first = Paragraph(
        PHRASES["method.window"].format(
            start=wording.when(setting(plan, "study", "window", "start")),
            end=wording.when(setting(plan, "study", "window", "end")),
            unit=setting(plan, "design", "unit"),
            seed=setting(plan, "study", "seed"),
        )
    )
    nearest = setting(plan, "design", "nearest")
    key = "method.pool_all" if nearest in {"0", NONE_GIVEN} else "method.pool_nearest"
    buffer = setting(plan, "register", "buffer_km")
    has_support = setting(plan, "design", "common_support") == "yes"
    pool = PHRASES["method.pool_text"].format(
        buffer="" if buffer in {"0", NONE_GIVEN} else phrase("method.pool_buffer", buffer=buffer),
        support=PHRASES["method.pool_support"] if has_support else "",
        chosen=PHRASES[key].format(nearest=nearest),
        history=setting(plan, "design", "history"),
        covariates=_covariates(plan.get("design", {}).get("covariates") or ()),
    )
    score = setting(plan, "design", "score")
    is_placed = score != NONE_GIVEN
    placed = PHRASES["method.pool_placed"].format(score=score, chosen=setting(plan, "design", "chosen"))
    sure = PHRASES["method.sure_text"].format(
        placebos=setting(plan, "analysis", "placebos"),
        where=PHRASES[f"method.sure_{'placed' if is_placed else 'chance'}"],
    )
    is_matched = setting(plan, "design", "calibration") == "none"
    weights = PHRASES[f"method.weights_{'matched' if is_matched else 'text'}"].format(
        ratio=setting(plan, "design", "ratio")
    )
    grades = Bullets(tuple(_sentence(numbers.grade_words(n)) for n in range(1, 6)), mark="numbered")
    every = Folded(PHRASES["method.settings"], (Data(settings(plan)),), in_print="")
    texts: dict[str, tuple[Block, ...]] = {
        "pool": (Paragraph(pool), *([Paragraph(placed)] if is_placed else [])),
        "weights": (Paragraph(weights),),
        "estimate": (Paragraph(PHRASES["method.estimate_text"]),),
        "sure": (Paragraph(sure),),
        "verdicts": tuple(Paragraph(PHRASES[f"method.verdict_{name}"]) for name in ("read", "mde")),
        "grades": (Paragraph(PHRASES["method.grades_text"]), grades),
    }
    parts = [Section(f"method-{key}", PHRASES[f"method.{key}"], blocks) for key, blocks in texts.items()]
    return Section("method", PHRASES["method.title"], (first, every), tuple(parts), SectionPlace.METHOD)


def data(result: Result, files: Mapping[str, str]) -> Section:
    """Return the releases, what is known of them, the gaps and every table as a file."""
    gaps = sections.gaps(result)
    blocks: tuple[Block, ...] = (Data(gaps, "gaps"),) if gaps.rows else (Paragraph(PHRASES["data.no_gaps"]),)
    parts = [Section("gaps", PHRASES["data.gaps"], blocks)]
    if files:
        pairs = []
        for name, path in files.items():
            title = name.replace("_", " ")
            pairs.append((f"{title[:1].upper()}{title[1:]} (CSV)", path))
            pairs.append((f"{title}: metadata", f"{path}-metadata.json"))
        links = Folded(PHRASES["data.files"], (Links(tuple(pairs)),), in_print="")
        parts[0] = replace(parts[0], blocks=(*blocks, links))
    notes = (Bullets(result.notes, PHRASES["data.notes"]),) if result.notes else ()
    first = (Data(sections.releases(result)), *notes)
    return Section("data", PHRASES["data.title"], first, tuple(parts), SectionPlace.DATA)


def again(result: Result) -> Section:
    """Return the seal of the plan, what it covers, and how to reproduce the results."""
    blocks: list[Block] = [
        Code(result.seal.sha256, PHRASES["seal.label"]),
        Bullets(result.seal.covers, PHRASES["seal.covers"]),
        Paragraph(PHRASES["seal.text"]),
        Paragraph(PHRASES["seal.again"]),
        Code("areaeffect evaluate study.toml --out results", PHRASES["seal.again_label"]),
        Paragraph(PHRASES["seal.report"]),
        Code("areaeffect report results", PHRASES["seal.report_label"]),
    ]
    if result.versions:
        made = ", ".join(f"{name} {version}" for name, version in result.versions.items())
        blocks.append(Paragraph(PHRASES["seal.versions"].format(versions=made)))
    return Section("seal", PHRASES["seal.title"], tuple(blocks), (), SectionPlace.AGAIN)


def _covariates(listed: Sequence[str | Json]) -> str:
    """Return characteristics in words, each with the date it describes."""
    words = []
    for item in listed:
        column, as_of = (item, "") if isinstance(item, str) else (item["column"], item.get("as_of"))
        name = str(column).rpartition(".")[2].replace("_", " ")
        words.append(f"{name} ({wording.when(as_of)})" if as_of else name)
    return ", ".join(words) or "none"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def setting(plan: Json, *path: str) -> str:
    """Return one setting of the plan as text; 'not given' where the plan does not say."""
    value: Any = plan
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return NONE_GIVEN if value is None else _setting_text(value)


def settings(plan: Json) -> Table:
    """Return every setting of the plan."""
    return Table("Every setting of the plan", ("Setting", "Value"), tuple(_leaves(plan, "")))


#: What a study says of an outcome: by default the program settles it.
PRIMARY = {True: "yes", False: "no", None: "by default"}


def planned_outcomes(plan: Json) -> Table:
    """Return the outcomes of a plan: what is claimed of each, and what counts as little."""
    head = ("Outcome", "Family", "Claim", "Better", "Smallest effect of interest", "Unit", "Primary")
    rows = tuple(
        (
            o["label"] or o["name"].replace("_", " "),
            FAMILIES[o["family"]].title,
            *(_setting_text(o[k]) for k in ("claim", "better")),
            _smallest(o),
            o.get("unit") or NONE_GIVEN,
            PRIMARY[o.get("primary")],
        )
        for o in plan.get("outcome", [])
    )
    return Table("Outcomes of the plan", head, rows, frozenset({4}))


def _smallest(outcome: Json) -> str:
    """Return the smallest effect of interest as people write it: of counts it is a fraction."""
    value = outcome["smallest_effect_of_interest"]
    is_fraction = outcome.get("kind") == "count" and value is not None
    return f"{100 * value:g}%" if is_fraction else _setting_text(value)


def _leaves(value: Any, name: str) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            leaf
            for key, item in value.items()
            for leaf in _leaves(item, f"{name}.{key}" if name else str(key))
        ]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [leaf for i, item in enumerate(value, 1) for leaf in _leaves(item, f"{name}.{i}")]
    return [(name, NONE_GIVEN if value is None else _setting_text(value))]


def _setting_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_setting_text, value)) or "none"
    if isinstance(value, dict):
        return " as of ".join(str(item) for item in value.values() if item is not None)
    return f"{value:g}" if isinstance(value, float) else str(value)
