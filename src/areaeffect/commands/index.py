"""`areaeffect index`: an index file to scores, ranks, and what each choice does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from areaeffect.commands.evaluate import map_shapes
from areaeffect.document.folders import prepare
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.index import composite as numerics
from areaeffect.index.composite import IndexResult, Variant, scores, standardised, weighted
from areaeffect.index.page import write_index
from areaeffect.index.table import IndicatorTable, read_indicators
from areaeffect.results import Floats, Shape
from areaeffect.sources.publishers.releases import named_file
from areaeffect.study.index import Index, IndexFile, read_index

#: Weights are moved by a quarter of themselves, up and down.
WEIGHT_STEP = 0.25
_METHODS = ("exponential", "z-score", "rank")


def index_into(path: Path, out: Path, tell: Callable[[str, int, int], None] = lambda *_: None) -> IndexResult:
    """Build an index and write its folder: index.csv, sensitivity.csv, index.html, run.json."""
    prepare(out, tell)
    result = build_index(read_index(path))
    write_index(result, out)
    return result


def build_index(file: IndexFile) -> IndexResult:
    """Read an index's indicators, score every area, and try every other choice.

    Raises
    ------
    StudyError, DataError
        As `read_indicators`; and where no area has a score.
    """
    table, index = read_indicators(file), file.index
    shapes, more = _outlines(file, table)
    standard, score = scores(file, table)
    rank = numerics.ranks(score)
    behind = None
    if index.left_behind is not None and table.deprivation is not None:
        share = index.left_behind.share
        behind = numerics.left_behind(score, table.deprivation, share)
    variants = []
    for choice, alternative, other in _variants(index, table, standard):
        correlation, left, of, moved = numerics.compared(score, other)
        n_behind = None
        if index.left_behind is not None and table.deprivation is not None:
            share = index.left_behind.share
            n_behind = int(numerics.left_behind(other, table.deprivation, share).sum())
        variants.append(
            Variant(
                choice=choice,
                alternative=alternative,
                correlation=correlation,
                left_worst=left,
                worst=of,
                largest_move=moved,
                left_behind=n_behind,
            )
        )
    return IndexResult(
        plan=index.model_dump(mode="json"),
        areas=table.areas,
        names=table.names,
        council=table.council,
        shapes=shapes,
        score=score,
        rank=rank,
        decile=numerics.deciles(rank),
        standard=standard,
        behind=behind,
        variants=tuple(variants),
        releases=table.releases,
        notes=(*table.notes, *more),
    )


def _outlines(file: IndexFile, table: IndicatorTable) -> tuple[tuple[Shape, ...], tuple[str, ...]]:
    """Return the outlines of the areas for the map, and notes on them; nothing without boundaries."""
    part = file.index.index
    if part.boundaries is None:
        return (), ()
    path = named_file(part.boundaries, file.folder)
    found = read_boundaries(path, part.boundaries_area, table.areas)
    return map_shapes(found, table.areas), found.notes


def _variants(index: Index, table: IndicatorTable, standard: Floats) -> Iterator[tuple[str, str, Floats]]:
    """Score the areas with every choice made otherwise, one at a time."""
    weights = [i.weight for i in index.indicator]
    names = [i.name for i in index.indicator] if len(weights) > 1 else []
    for k, name in enumerate(names):
        for factor in (1 + WEIGHT_STEP, 1 - WEIGHT_STEP):
            moved = [w * factor if j == k else w for j, w in enumerate(weights)]
            yield f"weight of {name}", f"times {factor:g}", weighted(index, standard, moved)
    if names and len(set(weights)) > 1:
        yield "weights", "all equal", weighted(index, standard, [1.0] * len(names))
    for k, name in enumerate(names):
        without = [0.0 if j == k else w for j, w in enumerate(weights)]
        yield f"indicator {name}", "left out", weighted(index, standard, without)
    for method in _METHODS if names else ():
        if method != index.index.standardise:
            other = standardised(index, table, method)
            yield "standardisation", f"{method} for all", weighted(index, other, weights)
    if any(i.shrink for i in index.indicator):
        plain = standardised(index, table, shrink=False)
        yield "shrinkage", "none", weighted(index, plain, weights)
