"""`areaeffect where-next`: places that are not in the register, ranked, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from areaeffect.assembly.assemble import Assembled, assemble
from areaeffect.commands.evaluate import evaluate, map_shapes
from areaeffect.document.folders import prepare
from areaeffect.errors import DataError, StudyError, did_you_mean
from areaeffect.geography.boundaries import contiguity
from areaeffect.index.composite import scores
from areaeffect.index.table import read_indicators
from areaeffect.panel import Neighbourhood
from areaeffect.register.other_initiatives import notes_on, read_register
from areaeffect.register.places import vintage_of
from areaeffect.report.files import read_result
from areaeffect.results import Bools, Floats, Ints, Result
from areaeffect.sources.coverage import align
from areaeffect.streams import Use, generator
from areaeffect.study.file import StudyFile, read_study
from areaeffect.study.index import read_index
from areaeffect.tables.user_table import require_file
from areaeffect.where_next import ranking as targeting
from areaeffect.where_next.page import write_where_next
from areaeffect.where_next.ranking import Ranking, WhereNext

_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked."""

    study: Path  # a study whose effects say what benefited
    need: Path | None = None  # an index of need
    results: Path | None = None  # the study's results folder; None evaluates it.
    outcome: str | None = None  # which effect counts; None for the study's first.
    others: tuple[Path, ...] = ()  # further files of places that have an initiative
    lookup: Path | None = None  # which areas their wards, MSOAs or postcodes have; None for the catalogue's.
    first: int = 30  # how many places the list is about
    store: Path | None = None
    threads: int | None = None


def where_next_into(request: Request, out: Path, tell: Callable[[str, int, int], None]) -> WhereNext:
    """Rank places by likeness to those of the study that benefited, and by need, and write a folder."""
    prepare(out, tell)
    file = read_study(request.study)
    tell("reading", 0, 1)
    data = assemble(file, request.store)
    panel, units = data.panel, data.neighbourhoods
    if not panel.covariates.shape[1]:
        what = "the study has no covariates, so its places cannot be described."
        raise StudyError(what, file.where("design"), "Name `covariates` under [design].")
    result = _results(request, file, tell)
    outcome = _outcome(request, file)
    effects, errors = _effects(result, outcome, units)
    taken, near, notes = _taken(file, data, request)
    described = np.asarray(np.isfinite(panel.covariates).all(axis=1))
    effects = np.where([described[n.areas].any() for n in units], effects, np.nan)
    if not (np.nan_to_num(effects) > 0).any():
        what = f"no place of the study did better on '{outcome}' than expected."
        raise DataError(what, str(request.study), "There is no place to compare with.")
    allowed, index = described.copy(), None if request.need is None else read_index(request.need)
    scored = None
    if index is not None:
        table = read_indicators(index)
        standard = align(scores(index, table)[0], table.areas, panel.areas)
        allowed &= np.isfinite(standard).all(axis=1)
        scored = standard, np.array([i.weight for i in index.index.indicator])
    allowed[np.union1d(taken, near)] = False
    tell("ranking", 0, 1)
    places, like, need = _ranked(file, data, request.first, allowed, effects, errors, scored)
    made = WhereNext(
        plan={
            "study": file.study.study.title,
            "outcome": outcome,
            "traits": list(panel.covariate_names),
            "places_of_study": len(units),
            "came_out_better": int((np.nan_to_num(effects) > 0).sum()),
            "first": request.first,
            "draws": targeting.DRAWS,
            "level": targeting.LEVEL,
            "need": None if index is None else index.index.index.title,
            "buffer_km": None if panel.near is None else file.study.register_.buffer_km,
            "taken": len(taken),
            "near": len(np.setdiff1d(near, taken)),
            "places": len(places),
        },
        areas=panel.areas,
        places=tuple(places),
        names=tuple(_name(data, place) for place in places),
        like=like,
        need=need,
        models=tuple(n.name for n in units),
        taken=taken,
        near=near,
        shapes=map_shapes(data.boundaries, panel.areas),
        releases=panel.releases,
        notes=notes,
    )
    write_where_next(made, out)
    return made


def _ranked(
    file: StudyFile,
    data: Assembled,
    first: int,
    allowed: Bools,
    effects: Floats,
    errors: Floats,
    scored: tuple[Floats, Floats] | None,
) -> tuple[list[Ints], Ranking, Ranking | None]:
    """Return contiguous places of the study's usual size in the order of the list, and their ranks.

    Parameters
    ----------
    first : how many places the list is about.
    allowed : (n_areas,), areas that a place may hold.
    effects, errors : (n_places,), of the studied places.
    scored : standardised indicators of need (n_areas, n_indicators) and their weights, if asked.
    """
    panel, units = data.panel, data.neighbourhoods
    size = int(np.median([len(n.areas) for n in units]))
    if data.boundaries is None or size == 1 or not allowed.any():
        places = [np.array([a], dtype=np.int64) for a in np.flatnonzero(allowed)]
    else:
        places = targeting.compact(contiguity(data.boundaries), data.boundaries.centres, allowed, size)
    if not places:
        raise DataError(
            "no place is left: all are in the register, near it, or lack a figure.",
            "",
            "Shorten `buffer_km`, or use figures that cover more areas.",
        )
    described = np.asarray(np.isfinite(panel.covariates).all(axis=1))
    traits = targeting.scaled(np.where(described[:, None], panel.covariates, 0.0), described)
    models = [n.areas[described[n.areas]] if described[n.areas].any() else n.areas for n in units]
    better = [m for m, e in zip(models, effects, strict=True) if e > 0]
    nearest_first = np.argsort(targeting.apart(places, better, traits), kind="stable")
    places = [places[k] for k in targeting.without_overlap(nearest_first, places, len(panel.areas))]
    rng = generator(Use.WHERE_NEXT_ALIKE, file.study.study.seed)
    like = targeting.most_like(places, models, traits, effects, errors, first, rng)
    need = targeting.most_in_need(places, *scored, first, rng) if scored else None
    order = np.lexsort((np.arange(len(places)), like.rank))
    return [places[k] for k in order], like.reordered(order), need.reordered(order) if need else None


def _name(data: Assembled, place: Ints) -> str:
    """Name a place after its one area, or the area nearest to its middle."""
    if len(place) == 1 or data.boundaries is None:
        return str(data.panel.names[place[0]])
    centres = data.boundaries.centres[place]
    middle = ((centres - centres.mean(axis=0)) ** 2).sum(axis=1).argmin()
    return f"around {data.panel.names[place[middle]]}"


def _taken(file: StudyFile, data: Assembled, request: Request) -> tuple[Ints, Ints, tuple[str, ...]]:
    """Return the areas that have an initiative, those in the buffer around them, and notes on the files.

    An initiative that ended before the study's window, or begins after it, takes its areas too.
    """
    panel, files = data.panel, request.others
    lookup = file.study.register_.lookup
    if request.lookup is not None:
        require_file(request.lookup)
        lookup = str(request.lookup.absolute())  # as named, from where the command was given
    vintage = vintage_of(panel.areas, file.folder) if files else None
    further, notes = read_register(files, lookup, file.folder, vintage, data.boundaries, panel.areas, None)
    known = data.registered.known
    codes = np.array([c for e in (*known.entries, *further) for c in e.areas], dtype=np.str_)
    treated = [n.areas for n in data.neighbourhoods]
    taken = np.unique(np.concatenate([*treated, np.flatnonzero(np.isin(panel.areas, codes))]))
    near = panel.near.of_any(taken) if panel.near is not None else np.empty(0, np.int64)
    return taken, near, (*known.notes, *notes, *notes_on(further, panel.areas))


def _results(request: Request, file: StudyFile, tell: Callable[[str, int, int], None]) -> Result:
    if request.results is None:
        return evaluate(file.path, request.threads, tell, request.store)
    result = read_result(request.results)
    own = file.study.model_dump(mode="json", by_alias=True)
    if result.plan.get("study") != own["study"] or result.plan.get("initiative") != own["initiative"]:
        raise StudyError(
            "these are the results of another study, or of this one before it was changed.",
            str(request.results),
            "Evaluate the study again, or leave `--results` out.",
        )
    return result


def _outcome(request: Request, file: StudyFile) -> str:
    names = [o.name for o in file.study.outcome if o.claim == "change"]
    asked = request.outcome or (names[0] if names else "")
    if asked not in names:
        raise StudyError(
            f"'{asked}' is not an outcome of a change claim in this study."
            if asked
            else "the study has no change claim, so no place is known to have benefited.",
            "--outcome",
            did_you_mean(asked, names) or f"Outcomes: {', '.join(names) or 'none'}.",
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
