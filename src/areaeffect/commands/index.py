"""`areaeffect index`: an index file to scores, ranks, and what each choice does to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from areaeffect.commands.evaluate import map_shapes
from areaeffect.document.folders import prepare
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.index import composite as numerics
from areaeffect.index.composite import Choices, _score, choices_of, scores, standardised
from areaeffect.index.page import write_index
from areaeffect.index.result import IndexResult, Variant
from areaeffect.index.table import IndicatorTable, read_indicators
from areaeffect.results import Floats, Shape
from areaeffect.sources.publishers.releases import named_file
from areaeffect.study.index import Index, IndexFile, read_index

#: Weights are moved by a quarter of themselves, up and down.
WEIGHT_STEP = 0.25
_METHODS = ("exponential", "z-score", "rank")
_RULES = ("no score", "reweight", "authority mean")


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
    base = choices_of(index)
    standard, score = scores(file, table)
    rank = numerics.ranks(score)
    behind = None
    if index.left_behind is not None and table.deprivation is not None:
        share = index.left_behind.share
        behind = numerics.left_behind(score, table.deprivation, share)
    variants = []
    for choice, alternative, other in _variants(index, table, base):
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


def _variants(index: Index, table: IndicatorTable, base: Choices) -> Iterator[tuple[str, str, Floats]]:
    """Score the areas with every choice made otherwise, one at a time."""
    standard = standardised(index, table, base)
    names = [i.name for i in index.indicator]
    several = len(names) > 1

    def reweighted(weights: list[float]) -> Floats:
        kept = [k for k, w in enumerate(weights) if w > 0]
        own = Choices(tuple(weights[k] for k in kept), base.methods, base.shrink, base.missing)
        return _score(index, table, own, standard[:, kept])

    for k, name in enumerate(names) if several else ():
        for factor in (1 + WEIGHT_STEP, 1 - WEIGHT_STEP):
            moved = [w * factor if j == k else w for j, w in enumerate(base.weights)]
            yield f"weight of {name}", f"times {factor:g}", reweighted(moved)
    if several and len(set(base.weights)) > 1:
        yield "weights", "all equal", reweighted([1.0] * len(names))
    for k, name in enumerate(names) if several else ():
        without = [0.0 if j == k else w for j, w in enumerate(base.weights)]
        yield f"indicator {name}", "left out", reweighted(without)
    for method in _METHODS:
        methods = (method,) * len(names)
        if methods != base.methods and several:
            own = Choices(base.weights, methods, base.shrink, base.missing)
            yield (
                "standardisation",
                f"{method} for all",
                _score(index, table, own, standardised(index, table, own)),
            )
    if any(base.shrink):
        own = Choices(base.weights, base.methods, (False,) * len(names), base.missing)
        yield "shrinkage", "none", _score(index, table, own, standardised(index, table, own))
    if np.isnan(standard).any():
        has_authority = bool((table.authority != "").any())
        for rule in _RULES:
            if rule != base.missing and (rule != "authority mean" or has_authority):
                own = Choices(base.weights, base.methods, base.shrink, rule)
                yield "missing indicators", rule, _score(index, table, own, standard)
