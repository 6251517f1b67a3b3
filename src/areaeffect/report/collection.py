"""The report over several studies of one programme: one answer, and what others have published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from areaeffect import wording
from areaeffect.document import page
from areaeffect.document.blocks import (
    Answers,
    Badge,
    Block,
    Bullets,
    Card,
    Code,
    Data,
    Document,
    Facts,
    Links,
    Paragraph,
    Section,
    named,
)
from areaeffect.document.chart_tables import NONE_GIVEN, Table, json_text, write_text
from areaeffect.document.folders import RUN_FILE, seal_folder, write_again
from areaeffect.document.page import to_html
from areaeffect.errors import DataError
from areaeffect.records import Json
from areaeffect.report import sections
from areaeffect.report.faces import REPORT_FILE
from areaeffect.report.files import (
    FORMAT,
    findings_content,
    read_result,
    rebuild_report,
    rounded,
    write_files,
)
from areaeffect.report.summary import PDF_FILE
from areaeffect.results import Finding, Result, Verdict
from areaeffect.study.file import Collection, CollectionPart, Published
from areaeffect.wording import numbers
from areaeffect.wording.numbers import PHRASES, interval_head, known, plural, signed, signed_interval, size


def collection_document(collection: Collection, results: Mapping[str, Result]) -> Document:
    """Return the report of a collection.

    Parameters
    ----------
    collection : its parts and what others published.
    results : of every part, by name.
    """
    made = [_answer(collection, results)]
    if collection.published:
        made.append(_beside(collection, results))
    made += [_part(part, results[part.name]) for part in collection.part]
    made.append(_again(collection, results))
    return Document(
        title=collection.title,
        kind="Report on several studies",
        question=collection.question,
        sections=tuple(named(s) for s in made),
        footer=PHRASES["collection.footer"],
    )


def finding_beside(published: Published, results: Mapping[str, Result]) -> Finding | None:
    """Return our finding beside a published one; None where the collection names none."""
    if published.part is None:
        return None
    own = [
        f
        for f in results[published.part].findings
        if f.outcome == published.outcome
        and f.neighbourhood is None
        and (published.group is None or f.group == published.group)
    ]
    leading = [f for f in own if f.form == "ratio"] or own
    return next(iter(leading), None)


def _answer(collection: Collection, results: Mapping[str, Result]) -> Section:
    pairs = [(p, finding_beside(p, results)) for p in collection.published]
    titles = {part.name: part.title for part in collection.part}
    items = [(Badge(f.verdict), titles[p.part or ""], wording.headline(f)) for p, f in pairs if f is not None]
    if not items:
        items = [
            (Badge(f.verdict), part.title, wording.headline(f))
            for part in collection.part
            for f in wording.main_findings(results[part.name].findings)
        ]
    blocks: list[Block] = []
    if pairs:
        blocks.append(Paragraph(in_one_sentence([f for _, f in pairs])))
    blocks.append(Answers(tuple(dict.fromkeys(items))))
    absent = [p for p, f in pairs if f is None]
    if absent:
        blocks.append(
            Bullets(tuple(f"{wording.family_title(p.family)}: not estimable. {p.reason}" for p in absent))
        )
    if collection.notes:
        blocks.append(Bullets(collection.notes, "What to know about these answers"))
    return Section("main", "The answer", tuple(blocks))


def in_one_sentence(findings: Sequence[Finding | None]) -> str:
    """Say how the published findings came out when asked again; None could not be asked."""
    verdicts = [Verdict.NOT_ESTIMABLE if f is None else f.verdict for f in findings]
    counts = [f"{v} in {verdicts.count(v)}" for v in Verdict if v in verdicts]
    return f"{plural(len(findings), 'published finding')}, asked again of these data: {'; '.join(counts)}."


def _beside(collection: Collection, results: Mapping[str, Result]) -> Section:
    intro = Paragraph(PHRASES["collection.others_published"])
    cards = [
        _card(i, published, finding_beside(published, results))
        for i, published in enumerate(collection.published)
    ]
    return Section("published", "Beside what was published", (intro, _table(collection, results), *cards))


def _table(collection: Collection, results: Mapping[str, Result]) -> Data:
    rows, held = [], [finding_beside(p, results) for p in collection.published]
    for p, f in zip(collection.published, held, strict=True):
        verdict = f.verdict if f else Verdict.NOT_ESTIMABLE
        rows.append(
            (
                wording.family_title(p.family),
                f"{p.said} ({p.claim})",
                p.figure or NONE_GIVEN,
                f"{numbers.VERDICT_SYMBOLS[verdict]} {verdict}" + (f" ({f.claim})" if f else ""),
                *_numbers(f),
            )
        )
    head = (
        "Family",
        "Published",
        "Their figure",
        "Our verdict",
        "Estimate",
        interval_head(filter(None, held)),
        "MDE",
    )
    title = "Published findings and ours"
    return Data(Table(title, head, tuple(rows), frozenset({4, 5, 6})))


def _numbers(finding: Finding | None) -> tuple[str, str, str]:
    if finding is None or known(finding.estimate) is None:
        return "–", "–", "–"
    estimate = signed(finding.estimate, finding)
    if finding.form == "additive":
        estimate = f"{estimate} {finding.unit}"
    return estimate, signed_interval(finding.low, finding.high, finding), size(finding.mde, finding)


def _card(number: int, published: Published, finding: Finding | None) -> Card:
    facts = [
        ("Published by", published.source),
        ("What was found", published.said),
        ("Kind of claim", published.claim),
        ("Their figure", published.figure or NONE_GIVEN),
    ]
    blocks: list[Block] = [Facts(tuple(facts))]
    if finding is None:
        blocks.append(Paragraph(f"Not estimable here. {published.reason}", lead=True))
    else:
        blocks += [
            Paragraph(wording.headline(finding), lead=True),
            Paragraph(wording.sentence(finding)),
            Paragraph(numbers.maryland_words(finding.maryland), note=True, begins="Evidence."),
        ]
    if published.differ:
        blocks.append(Paragraph(published.differ, begins="Why the two may differ."))
    verdict = finding.verdict if finding else Verdict.NOT_ESTIMABLE
    meaning = numbers.verdict_words(verdict, finding.claim if finding else published.claim)
    title = f"{wording.family_title(published.family)}: {published.said}"
    return Card(f"published-{number}", title, Badge(verdict), meaning, tuple(blocks))


def _part(part: CollectionPart, result: Result) -> Section:
    groups = dict.fromkeys(f.group for f in result.findings)
    tables = []
    for group in groups:
        own = wording.main_findings([f for f in result.findings if f.group == group])
        if own:
            tables.append(Data(sections.results_table(own, wording.group_title(group))))
    links = Links(
        (
            (f"The report: {result.title}", f"{part.name}/report.html"),
            ("The same as PDF", f"{part.name}/report.pdf"),
            ("Its annex", f"{part.name}/annex.html"),
        )
    )
    return Section(f"part-{part.name}", part.title, (Paragraph(result.question), *tables, links))


def _again(collection: Collection, results: Mapping[str, Result]) -> Section:
    seals = tuple((p.title, results[p.name].seal.sha256) for p in collection.part)
    return Section(
        "again",
        "Seals, and how to do it again",
        (
            Paragraph(PHRASES["collection.part_plan"]),
            Facts(seals),
            Code("areaeffect evaluate study.toml --out results", "Command for the whole collection"),
        ),
    )


def write_part(result: Result, folder: Path) -> Result:
    """Write one part into a new folder; return its result as the files hold it."""
    held = rounded(result)
    folder.mkdir()
    write_files(held, folder)
    seal_folder(folder)
    return held


def write_over_parts(collection: Collection, held: Mapping[str, Result], folder: Path) -> None:
    """Write what stands over the parts, which the folder holds already."""
    findings = [{"part": name, **row} for name, r in held.items() for row in findings_content(r)["findings"]]
    seals = {name: result.seal.sha256 for name, result in held.items()}
    plan = collection.model_dump(mode="json")
    contents = {
        "findings.json": {"study": collection.title, "seals": seals, "findings": findings},
        RUN_FILE: {"format": FORMAT, "title": collection.title, "collection": plan},
    }
    for name, content in contents.items():
        write_text(folder / name, json_text(content, indent=1))
    _write_faces(collection, held, folder)


def rebuild_collection(folder: Path) -> Path:
    """Write the reports of every part and the one over them again, from the folder alone.

    Raises
    ------
    DataError
        Where a part is missing or cannot be read.
    """
    collection = held_collection(folder)
    if collection is None:
        what = "the folder holds no collection."
        raise DataError(what, str(folder), "Name a folder that `evaluate` wrote.")
    for part in collection.part:
        rebuild_report(folder / part.name)
    results = {part.name: read_result(folder / part.name) for part in collection.part}
    write_again(
        folder,
        lambda made: _write_faces(collection, results, made),
        lambda path: path in (REPORT_FILE, PDF_FILE),
    )
    return folder / REPORT_FILE


def held_collection(folder: Path) -> Collection | None:
    """Return the collection whose results a folder holds; None for those of one study."""
    try:
        run: Json = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Collection.model_validate(run["collection"]) if "collection" in run else None


def _write_faces(collection: Collection, results: Mapping[str, Result], folder: Path) -> None:
    document = collection_document(collection, results)
    write_text(folder / REPORT_FILE, to_html(document, {}))
    (folder / PDF_FILE).write_bytes(page.to_pdf(document))
