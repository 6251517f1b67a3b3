"""`areaeffect where-next`: places that are not in the register, ranked, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from areaeffect.assembly.assemble import assemble
from areaeffect.commands.evaluate import evaluate, map_shapes
from areaeffect.document.folders import prepare
from areaeffect.errors import DataError, Problem, StudyError, did_you_mean
from areaeffect.geography.boundaries import read_boundaries
from areaeffect.geography.neighbours import within
from areaeffect.index.composite import choices_of, scores
from areaeffect.index.table import read_indicators
from areaeffect.panel import Neighbourhood, Strings
from areaeffect.records import Json
from areaeffect.report.files import read_result
from areaeffect.results import Floats, Ints, Result
from areaeffect.sources.base import align
from areaeffect.sources.publishers.panel import roots_of
from areaeffect.sources.publishers.tables import read
from areaeffect.streams import Use, generator
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.index import read_index
from areaeffect.where_next import ranking as targeting
from areaeffect.where_next.page import write_where_next
from areaeffect.where_next.ranking import (
    AreaMap,
    Ranking,
    contiguous_places,
    given_places,
    map_of_study,
    taken_by,
)
from areaeffect.where_next.result import WhereNext

_NORMAL_95 = 1.959964
_DEFAULT_BUFFER_KM = 1.0
_GROUPS = {"lsoa11": ("places_lsoa11", "msoa11"), "lsoa21": ("places_lsoa21", "msoa21")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked."""

    study: Path | None = None  # a study whose effects say what benefited; or
    #: a file of places that have an initiative already, in whatever way it names them
    areas: Path | None = None
    need: Path | None = None  # an index of need; needed with `areas`.
    results: Path | None = None  # the study's results folder; None evaluates it.
    outcome: str | None = None  # which effect counts; None for the study's first.
    others: tuple[Path, ...] = ()  # further files of places that have an initiative
    lookup: Path | None = None  # which areas their wards, MSOAs or postcodes have; None for the catalogue's.
    #: boundaries, boundaries_area: outlines and their code column, with `areas`
    boundaries: Path | None = None
    boundaries_area: str = "lsoa21cd"
    first: int = 30  # how many places the list is about
    store: Path | None = None
    threads: int | None = None


def where_next_into(request: Request, out: Path, tell: Callable[[str, int, int], None]) -> WhereNext:
    """Rank places and write a folder: where_next.csv, its areas, map and page."""
    prepare(out, tell)
    _refuse(request)
    made = _from_study(request, tell) if request.study else _from_areas(request, tell)
    write_where_next(made, out)
    return made


def _refuse(request: Request) -> None:
    if (request.study is None) == (request.areas is None):
        raise StudyError(
            Problem("say what to start from.", "", "Give a study, or `--areas` with `--need`; not both.")
        )
    if request.areas is not None and request.need is None:
        raise StudyError(
            Problem(
                "areas alone do not say what to look for.",
                "--areas",
                "Add `--need INDEX.toml`: an effect is only known from a study.",
            )
        )


def _from_study(request: Request, tell: Callable[[str, int, int], None]) -> WhereNext:
    """Rank places by their likeness to the study's places that benefited, and by need."""
    if request.study is None:
        raise AssertionError  # unreachable: `_refuse` has refused it
    file = read_study(request.study)
    tell("reading", 0, 1)
    data = assemble(file, request.store)
    if not data.panel.covariates.shape[1]:
        raise StudyError(
            Problem(
                "the study has no covariates, so its places cannot be described.",
                file.where("design"),
                "Name `covariates` under [design].",
            )
        )
    result = _results(request, file, tell)
    outcome = _outcome(request, file)
    effects, errors = _effects(result, outcome, data.neighbourhoods)
    area_map = map_of_study(file, data, request.others, _lookup(request))
    described = np.asarray(np.isfinite(data.panel.covariates).all(axis=1))
    effects = np.where([described[n.areas].any() for n in data.neighbourhoods], effects, np.nan)
    _refuse_nothing_better(effects, outcome, request)
    indicators, known = _need(request, area_map.areas), described
    if indicators is not None:
        known = known & np.isfinite(indicators[0]).all(axis=1)
    size = int(np.median([len(n.areas) for n in data.neighbourhoods]))
    places, names = contiguous_places(area_map, known, size)
    covariates = np.where(described[:, None], data.panel.covariates, 0.0)
    traits = targeting.scaled(covariates, described)
    rng = generator(Use.WHERE_NEXT_ALIKE, file.study.study.seed)
    tell("ranking", 0, 1)
    models = [n.areas[described[n.areas]] for n in data.neighbourhoods]
    models = [m if len(m) else n.areas for m, n in zip(models, data.neighbourhoods, strict=True)]
    better = [m for m, e in zip(models, effects, strict=True) if e > 0]
    apart = targeting.apart(places, better, traits)
    kept = targeting.without_overlap(np.argsort(apart, kind="stable"), places, len(area_map.areas))
    places, names = [places[k] for k in kept], [names[k] for k in kept]
    like = targeting.most_like(places, models, traits, effects, errors, request.first, rng)
    need = None
    if indicators is not None:
        need = targeting.most_in_need(places, *indicators, request.first, rng)
    return _ranked_places(
        request,
        area_map,
        places,
        names,
        like,
        need,
        models=[n.name for n in data.neighbourhoods],
        plan={
            "study": file.study.study.title,
            "outcome": outcome,
            "traits": list(data.panel.covariate_names),
            "places_of_study": len(models),
            "came_out_better": int((np.nan_to_num(effects) > 0).sum()),
        },
    )


def _refuse_nothing_better(effects: Floats, outcome: str, request: Request) -> None:
    if not (np.nan_to_num(effects) > 0).any():
        raise DataError(
            Problem(
                f"no place of the study did better on '{outcome}' than expected.",
                str(request.study),
                "There is no place to compare with; `--need` with `--areas` ranks by need instead.",
            )
        )


def _from_areas(request: Request, tell: Callable[[str, int, int], None]) -> WhereNext:
    """Rank middle-layer areas (MSOAs) by need, without those that have an initiative."""
    if request.need is None or request.areas is None:
        raise AssertionError  # unreachable: `_refuse` has refused it
    file = read_index(request.need)
    tell("reading", 0, 1)
    table = read_indicators(file)
    standard, _ = scores(file, table)
    boundaries, near = None, np.empty(0, np.int64)
    if request.boundaries is not None:
        boundaries = read_boundaries(request.boundaries, request.boundaries_area, table.areas)
    files = (request.areas, *request.others)
    taken, notes = taken_by(files, _lookup(request), file.folder, boundaries, table.areas)
    if boundaries is not None:
        near = within(boundaries, _DEFAULT_BUFFER_KM * 1000).of_any(taken)
    area_map = AreaMap(
        areas=table.areas,
        names=table.names,
        taken=taken,
        near=near,
        buffer_km=_DEFAULT_BUFFER_KM if boundaries else None,
        graph=None,
        boundaries=boundaries,
        releases=table.releases,
        notes=(*table.notes, *notes),
    )
    vintage = file.index.index.vintage
    release, column = _GROUPS[vintage]
    roots = roots_of(None, file.folder)
    lookup = read(release, roots, [f"{column}_code", f"{column}_name"])
    group, title = (
        align(lookup.texts[f"{column}_{part}"], lookup.areas, table.areas) for part in ("code", "name")
    )
    known = np.asarray(np.isfinite(standard).all(axis=1))
    places, names = given_places(area_map, known, group, title)
    tell("ranking", 0, 1)
    weights = np.array(choices_of(file.index).weights)
    rng = generator(Use.WHERE_NEXT_NEED, 1)
    need = targeting.most_in_need(places, standard, weights, request.first, rng)
    return _ranked_places(request, area_map, places, names, None, need, models=[], plan={})


def _lookup(request: Request) -> str | None:
    """Return the lookup as named, from where the command was given."""
    return None if request.lookup is None else str(request.lookup.absolute())


def _results(request: Request, file: StudyFile, tell: Callable[[str, int, int], None]) -> Result:
    if request.results is None:
        return evaluate(file.path, request.threads, tell, request.store)
    result = read_result(request.results)
    own = file.study.model_dump(mode="json", by_alias=True)
    if result.plan.get("study") != own["study"] or result.plan.get("initiative") != own["initiative"]:
        raise StudyError(
            Problem(
                "these are the results of another study, or of this one before it was changed.",
                str(request.results),
                "Evaluate the study again, or leave `--results` out.",
            )
        )
    return result


def _outcome(request: Request, file: StudyFile) -> str:
    names = [o.name for o in file.study.outcome if o.claim == "change"]
    asked = request.outcome or (names[0] if names else "")
    if asked not in names:
        raise StudyError(
            Problem(
                f"'{asked}' is not an outcome of a change claim in this study."
                if asked
                else "the study has no change claim, so no place is known to have benefited.",
                "--outcome",
                did_you_mean(asked, names) or f"Outcomes: {', '.join(names) or 'none'}.",
            )
        )
    return asked


def _effects(result: Result, outcome: str, units: Sequence[Neighbourhood]) -> tuple[Floats, Floats]:
    """Return each place's effect, positive for the better, and its standard error.

    A study of one place has no findings by neighbourhood: its own is used.
    """
    leading = [f for f in result.findings if f.outcome == outcome and f.claim == "change" and f.primary]
    by_place = {
        (f.initiative, f.neighbourhood): f
        for f in result.findings
        if f.outcome == outcome and f.neighbourhood is not None
    }
    found = [by_place.get((u.initiative, u.name)) for u in units]
    if not by_place and leading:
        found = [leading[0]] * len(units)
    effects, errors = np.full(len(units), np.nan), np.zeros(len(units))
    for g, finding in enumerate(found):
        if finding is None or finding.estimate is None:
            continue
        sign = -1.0 if finding.better == "lower" else 1.0
        effects[g] = sign * finding.estimate
        own = finding.single
        if own is not None and own.low is not None and own.high is not None:
            errors[g] = (own.high - own.low) / (2 * _NORMAL_95)
    return effects, errors


def _need(request: Request, areas: Strings) -> tuple[Floats, Floats] | None:
    """Return an index's standardised indicators on the study's areas, and its weights."""
    if request.need is None:
        return None
    file = read_index(request.need)
    table = read_indicators(file)
    standard, _ = scores(file, table)
    weights = np.array(choices_of(file.index).weights)
    return align(standard, table.areas, areas), weights


def _ranked_places(
    request: Request,
    area_map: AreaMap,
    places: list[Ints],
    names: list[str],
    like: Ranking | None,
    need: Ranking | None,
    *,
    models: list[str],
    plan: Json,
) -> WhereNext:
    leading = like if like is not None else need
    if leading is None:
        raise AssertionError  # unreachable: either is made
    order = np.lexsort((np.arange(len(places)), leading.rank))
    plan = {
        **plan,
        "first": request.first,
        "draws": targeting.DRAWS,
        "level": targeting.LEVEL,
        "need": None if request.need is None else read_index(request.need).index.index.title,
        "buffer_km": area_map.buffer_km,
        "taken": len(area_map.taken),
        "near": len(np.setdiff1d(area_map.near, area_map.taken)),
        "places": len(places),
    }
    return WhereNext(
        plan=plan,
        areas=area_map.areas,
        places=tuple(places[k] for k in order),
        names=tuple(names[k] for k in order),
        like=None if like is None else _reordered(like, order),
        need=None if need is None else _reordered(need, order),
        models=tuple(models),
        taken=area_map.taken,
        near=area_map.near,
        shapes=map_shapes(area_map.boundaries, area_map.areas),
        releases=area_map.releases,
        notes=area_map.notes,
    )


def _reordered(ranking: Ranking, order: Ints) -> Ranking:
    return replace(
        ranking,
        value=ranking.value[order],
        rank=ranking.rank[order],
        low=ranking.low[order],
        high=ranking.high[order],
        share_first=ranking.share_first[order],
        nearest=None if ranking.nearest is None else ranking.nearest[order],
    )
