"""What the register knows, what overlaps, and how well areas fit the places that were named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from areaeffect.document.blocks import Block, Bullets, Data, Folded, Paragraph, Section, SectionPlace
from areaeffect.document.chart_tables import in_words
from areaeffect.records import Column, DataTable, table_of
from areaeffect.register.drawn_areas import AreaFit, LeftOut, ShapeFit
from areaeffect.register.other_initiatives import DURING, ENDED, LATER
from areaeffect.results import Annex, Result
from areaeffect.wording.numbers import PHRASES, phrase, plural

if TYPE_CHECKING:
    from areaeffect.findings.case import Finished
    from areaeffect.register.other_initiatives import Others

    Row = tuple[str | float | int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSummary:
    """What the register knows of other initiatives, in numbers."""

    entries: int
    programmes: tuple[str, ...]
    during: int
    ended_before: int
    begins_after: int
    located: int
    located_by_name: int
    not_located: int
    without_authority: int
    areas_left_out: int
    overlaps: int
    studied_overlaps: int
    benchmark_areas: int
    doubtful_benchmark_areas: int
    doubtful_weight: float
    uncoded: str
    studied_others: int


#: Columns for the file alone: where a line is from, codes, and counts that others explain.
_NOT_PRINTED = frozenset({"file", "place", "area", "areas_in_study", "how", "unlocated"})


def register_section(_result: Result, annex: Annex[RegisterSummary]) -> Section:
    """Return what is known to have gone on elsewhere, and what that means for the comparison."""
    said = annex.found
    blocks: list[Block] = [Paragraph(_known(annex)), Bullets(tuple(_means(annex)))]
    for table in annex.tables:
        data = Data(in_words(table, leave_out=_NOT_PRINTED), table.name)
        short = table.name == "register_overlaps"
        blocks.append(data if short else Folded(table.title, (data,)))
    if not said.overlaps:
        blocks.insert(2, Paragraph(PHRASES["register.area_two"], note=True))
    return Section("register", "What else was going on", tuple(blocks), place=SectionPlace.WHO)


def _known(annex: Annex[RegisterSummary]) -> str:
    said = annex.found
    text = phrase(
        "register.register_names",
        places=plural(said.entries, "other place"),
        programmes=plural(len(said.programmes), "programme"),
        during=f"{said.during:,}",
    )
    parts = [
        f"{n:,} {words}"
        for n, words in (
            (said.ended_before, "that had ended before it"),
            (said.begins_after, "that begin after it"),
        )
        if n
    ]
    text += f", {', '.join(parts)}" if parts else ""
    text += phrase(
        "register.window_could",
        located=f"{said.located:,}",
        located_by_name=f"{said.located_by_name:,}",
        not_located=f"{said.not_located:,}",
    )
    return text


def _means(annex: Annex[RegisterSummary]) -> list[str]:
    said = annex.found
    lines = [phrase("register.study_s", areas=plural(said.areas_left_out, "area"))]
    if said.studied_overlaps:
        n = plural(said.studied_overlaps, "studied neighbourhood")
        lines.append(phrase("register.share_areas", n=n))
    lines.append(
        phrase(
            "register.doubtful",
            areas=plural(said.benchmark_areas, "benchmark area"),
            doubtful=f"{said.doubtful_benchmark_areas:,}",
            weight=f"{said.doubtful_weight:.0%}",
        )
    )
    if said.without_authority:
        lines.append(phrase("register.even_authority", places=plural(said.without_authority, "place")))
    lines.append(PHRASES["register.benchmark_area"])
    if said.uncoded != "ignore" and said.not_located:
        lines.append(PHRASES["register.study_asks"])
    if said.studied_others:
        lines.append(phrase("register.other_initiatives", places=plural(said.studied_others, "place")))
    return lines


NO_EVIDENCE = "no evidence of an initiative in the register"
MAY_LIE_HERE = "an initiative of its authority could not be located"
AUTHORITY_UNKNOWN = "no evidence of an initiative in the register; its authority is not known"

_PROGRAMME = Column("programme", "string", "Programme")
_ENTRIES = (
    _PROGRAMME,
    Column("neighbourhood", "string", "Its name"),
    Column("authority", "string", "Local authority as written"),
    Column("start", "string", "Start as written"),
    Column("end", "string", "End as written"),
    Column("when", "string", "How its dates stand to the study's window"),
    Column("how", "string", "How it was located: 'code', 'ward', 'MSOA' or 'not located'"),
    Column("areas", "integer", "Areas found for it"),
    Column("areas_in_study", "integer", "Of those, areas that the study has data for"),
    Column("reason", "string", "Why it could not be located"),
    Column("file", "string", "File"),
    Column("place", "string", "Its row or feature in that file"),
)
_OVERLAPS = (
    Column("programme_1", "string", "Programme"),
    Column("neighbourhood_1", "string", "Its neighbourhood"),
    Column("programme_2", "string", "Another programme"),
    Column("neighbourhood_2", "string", "Its neighbourhood"),
    Column("n_areas", "integer", "Areas in both"),
    Column("areas", "string", "Their codes"),
)
_BENCHMARKS = (
    Column("area", "string", "Area code"),
    Column("name", "string", "Area name"),
    Column("authority", "string", "Local authority"),
    Column("weight", "number", "Weight as a benchmark area, over all neighbourhoods"),
    Column("evidence", "string", "What the register knows of it"),
    Column("unlocated", "integer", "Entries of its authority that could not be located"),
    Column("nearest_km", "number", "Distance to the nearest area of a known initiative"),
)


def register_annex(finished: Finished) -> Annex[RegisterSummary] | None:
    """Report the register; None where the study has no register of other initiatives."""
    known = finished.data.registered.known
    if not known.entries:
        return None
    benchmarks = _benchmarks(finished, known)
    total = sum(_weight(row) for row in benchmarks)
    doubtful = sum(_weight(row) for row in benchmarks if row[4] == MAY_LIE_HERE)
    during = [e for e in known.entries if e.when == DURING]
    unlocated = [e for e in during if not e.areas]
    found = RegisterSummary(
        entries=len(known.entries),
        programmes=tuple(sorted({e.programme for e in known.entries})),
        during=len(during),
        ended_before=sum(e.when == ENDED for e in known.entries),
        begins_after=sum(e.when == LATER for e in known.entries),
        located=sum(bool(e.areas) for e in during),
        located_by_name=sum(bool(e.areas) and e.how != "code" for e in during),
        not_located=len(unlocated),
        without_authority=sum(not e.authority for e in unlocated),
        areas_left_out=len(known.areas),
        overlaps=len(known.overlaps),
        studied_overlaps=len(_studied_overlaps(finished, known)),
        benchmark_areas=len(benchmarks),
        doubtful_benchmark_areas=sum(row[4] == MAY_LIE_HERE for row in benchmarks),
        doubtful_weight=doubtful / total if total > 0 else 0.0,
        uncoded=finished.file.study.register_.uncoded,
        studied_others=len(known.studied),
    )
    tables = _tables(known, tuple(benchmarks), set(finished.data.panel.areas.tolist()))
    return Annex("register", found, tuple(t for t in tables if t.rows))


def _tables(known: Others, benchmarks: tuple[Row, ...], ours: set[str]) -> tuple[DataTable, ...]:
    """Entries, areas in several initiatives, and what is known of each benchmark area."""
    entries = tuple(
        (
            e.programme,
            e.name,
            e.authority,
            e.start,
            e.end,
            e.when,
            e.how,
            len(e.areas),
            sum(code in ours for code in e.areas),
            e.reason,
            e.file,
            e.place,
        )
        for e in known.entries
    )
    overlaps = tuple((*o.first, *o.second, len(o.areas), "; ".join(o.areas)) for o in known.overlaps)
    return (
        DataTable("register_entries", "The register", _ENTRIES, entries),
        DataTable("register_overlaps", "Areas in several initiatives", _OVERLAPS, overlaps),
        DataTable("register_benchmark_areas", PHRASES["register.register_knows"], _BENCHMARKS, benchmarks),
    )


def _weight(row: Row) -> float:
    return float(row[3] or 0.0)


def _studied_overlaps(finished: Finished, known: Others) -> set[tuple[str, str]]:
    """Return the studied neighbourhoods that share areas with another initiative."""
    studied = {(n.initiative, n.name) for n in finished.data.neighbourhoods}
    return {side for o in known.overlaps for side in (o.first, o.second) if side in studied}


def _benchmarks(finished: Finished, known: Others) -> list[Row]:
    """One row a benchmark area, the heaviest first."""
    panel = finished.data.panel
    weight = np.zeros(len(panel.areas))
    for arm in finished.evidence.plan.chosen:
        for weighted in arm:
            if weighted is not None:
                weight[weighted.pool] += weighted.weights
    used = np.flatnonzero(weight > 0)
    distance = _kilometres(finished, known, used)
    rows: list[Row] = []
    for i, km in zip(used, distance, strict=True):
        authority, unlocated = str(known.authority[i]), int(known.unlocated[i])
        evidence = MAY_LIE_HERE if unlocated else NO_EVIDENCE
        if not unlocated and not authority:
            evidence = AUTHORITY_UNKNOWN
        code, name = str(panel.areas[i]), str(panel.names[i])
        rows.append((code, name, authority, float(weight[i]), evidence, unlocated, km))
    return sorted(rows, key=lambda r: (-_weight(r), str(r[0])))


def _kilometres(finished: Finished, known: Others, used: np.ndarray) -> list[float | None]:
    """Return how far each benchmark area is from the nearest area of a known initiative."""
    boundaries = finished.data.boundaries
    treated = [n.areas for n in finished.data.neighbourhoods]
    if boundaries is None:
        return [None] * len(used)
    import shapely

    held = np.unique(np.concatenate([*treated, known.areas]))
    tree = shapely.STRtree(boundaries.outlines[held])
    _, metres = tree.query_nearest(boundaries.outlines[used], all_matches=False, return_distance=True)
    return [round(float(m) / 1000, 3) for m in metres]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryFit:
    """How many places were drawn or listed, the areas that represent them, and the worst fit."""

    places: int
    areas_touched: int
    areas_kept: int
    left_out: int
    least_inside: float | None
    least_captured: float | None


def boundary_fit_section(_result: Result, annex: Annex[BoundaryFit]) -> Section:
    """Return how well areas represent the places meant, and what was left out."""
    said = annex.found
    blocks: list[Block] = []
    if said.places:
        blocks.append(
            Paragraph(
                phrase(
                    "register.drawn_listed",
                    places=plural(said.places, "place"),
                    areas=plural(said.areas_touched, "area"),
                    areas_kept=f"{said.areas_kept:,}",
                )
            )
        )
    if said.least_inside is not None and said.least_captured is not None:
        blocks.append(
            Paragraph(
                phrase(
                    "register.worst_case",
                    least_inside=f"{said.least_inside:.0%}",
                    least_captured=f"{said.least_captured:.0%}",
                ),
                note=True,
            )
        )
    if said.left_out:
        blocks.append(Paragraph(f"Named in the files, but not used: {plural(said.left_out, 'place')}."))
    for table in annex.tables:
        data = Data(in_words(table), table.name)
        blocks.append(Folded(table.title, (data,)) if table.name == "boundary_fit" else data)
    return Section(
        "boundary-fit", "How well areas fit the places meant", tuple(blocks), place=SectionPlace.WHO
    )


def boundary_fit(finished: Finished) -> Annex[BoundaryFit] | None:
    """Report each drawn shape and list of postcodes, area by area, and what was left out."""
    files = finished.data.registered.found
    shapes = [s for f in files for s in f.shapes]
    fits = [a for f in files for a in f.fits]
    left_out = [x for f in files for x in f.left_out]
    if not shapes and not left_out:
        return None
    tables = (
        table_of("boundary_fit", "Areas and drawn places", AreaFit, fits),
        table_of("boundary_fit_places", "How well areas fit", ShapeFit, shapes),
        table_of("boundary_fit_left_out", "Left out", LeftOut, left_out),
    )
    inside = [s.inside for s in shapes if s.inside is not None]
    captured = [s.captured for s in shapes if s.captured is not None]
    found = BoundaryFit(
        places=len(shapes),
        areas_touched=len(fits),
        areas_kept=sum(f.kept for f in fits),
        left_out=len(left_out),
        least_inside=min(inside, default=None),
        least_captured=min(captured, default=None),
    )
    return Annex("boundary_fit", found, tuple(t for t in tables if t.rows))
