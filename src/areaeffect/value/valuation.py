"""The section `[value]` of a study, checked against its costs before anything is estimated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

from areaeffect.errors import AreaEffectError, Problem, StudyError, did_you_mean
from areaeffect.periods import PeriodKind
from areaeffect.results import Release
from areaeffect.study.analysis import NOT_VALUED, ValuePart
from areaeffect.study.file import StudyFile
from areaeffect.study.model import Outcome
from areaeffect.study.parts import resolve
from areaeffect.value.costs import DEFLATED, CostTable, deflator, read_costs, uprate


@dataclass(frozen=True, slots=True, kw_only=True)
class Valuation:
    """What a study's avoided incidents are worth, before how many there are is known."""

    part: ValuePart  # the section of the study
    table: CostTable  # the unit costs
    factors: Mapping[str, float]  # item to what its cost is multiplied with to be in the prices asked for
    #: outcome to shares of items; an outcome without one has no unit cost.
    mixes: Mapping[str, Mapping[str, float]]
    funding_factor: float  # what funding is multiplied with
    releases: tuple[Release, ...]  # the files it rests on


def read_valuation(file: StudyFile) -> Valuation | None:
    """Read a study's costs and mixes; None where it values nothing.

    Raises
    ------
    StudyError, DataError
        With every fault: an outcome valued without `[value]`, a category or item that no cost is
        known of, a mix that is missing, incidents counted twice, a level or a score valued,
        prices that cannot be uprated, funding of an initiative that is not in the study.
    """
    part = file.study.value
    valued = [(i, o) for i, o in enumerate(file.study.outcome) if o.valued_as]
    if part is None:
        if not valued:
            return None
        where = file.where(f"outcome.{valued[0][0]}.valued_as")
        raise StudyError("there is no section `[value]`.", where, "Write one with `price_year`.")
    path = resolve(part.costs, file.folder)
    table = read_costs(path)
    problems = _outcome_problems(file, valued, table) + _study_problems(file, part, table)
    mixes: dict[str, dict[str, float]] = {}
    for i, outcome in valued:
        mixes[outcome.name] = _mix(file, part, table, i, problems)
    factors: dict[str, float] = {}
    for item in sorted({i for mix in mixes.values() for i in mix} - {NOT_VALUED}):
        cost = table.costs[item]
        if cost.counts:
            where = f"{file.where('value.price_year')}, cost of {item}"
            factors[item] = _uprated(cost.price_year, part, table, where, problems)
    funding = part.funding_prices or part.price_year
    where = file.where("value.funding_prices")
    funding_factor = _uprated(funding, part, table, where, problems)
    if problems:
        raise StudyError(problems)
    return Valuation(
        part=part,
        table=table,
        factors=factors,
        mixes=mixes,
        funding_factor=funding_factor,
        releases=_releases(path, table),
    )


def cost_releases(file: StudyFile) -> tuple[Release, ...]:
    """Return the files that a study's values rest on; none where it values nothing.

    Raises
    ------
    StudyError, DataError
        As `read_valuation`.
    """
    valuation = read_valuation(file)
    return valuation.releases if valuation else ()


def _outcome_problems(file: StudyFile, valued: list[tuple[int, Outcome]], table: CostTable) -> list[Problem]:
    """Find outcomes that cannot be valued, and incidents that would count twice."""
    problems: list[Problem] = []
    owner: dict[str, Outcome] = {}
    for i, outcome in valued:
        where = file.where(f"outcome.{i}.valued_as")
        if outcome.kind != "count":
            problems.append(Problem("a score has no incidents to value.", where, "Drop it."))
        if outcome.claim == "level":
            problems.append(
                Problem(
                    "a difference in level is not an effect, so nothing was avoided by it.",
                    where,
                    "Value an outcome with a change claim.",
                )
            )
        for item in table.items(outcome.valued_as or ""):
            first = owner.setdefault(item, outcome)
            if first is not outcome:
                problems.append(
                    Problem(
                        f"{item.replace('_', ' ')} would count twice: in '{first.name}' and in "
                        f"'{outcome.name}'.",
                        where,
                        "Value all crime or its parts, not both.",
                    )
                )
                break
    return problems


def _study_problems(file: StudyFile, part: ValuePart, table: CostTable) -> list[Problem]:
    """Find what does not belong together in the section itself."""
    study = file.study
    used = [o.valued_as for o in study.outcome if o.valued_as]
    names = [i.name for i in study.initiative]
    problems = []
    if not used:
        problems.append(
            Problem(
                "no outcome is valued.",
                file.where("value"),
                f"Write `valued_as` on one: {', '.join(table.categories)}.",
            )
        )
    problems += [
        Problem(
            f"no outcome is valued as '{category}'.",
            file.where(f"value.mix.{category}"),
            did_you_mean(category, used) or f"Valued: {', '.join(used) or 'none'}.",
        )
        for category in part.mix
        if category not in used
    ]
    problems += [
        Problem(
            f"there is no initiative '{name}'.",
            file.where("value.funding"),
            did_you_mean(name, names) or f"Initiatives: {', '.join(names)}.",
        )
        for name in part.funding
        if name not in names
    ]
    if study.study.window.kind is PeriodKind.NUMBER and part.discount_rate > 0:
        problems.append(
            Problem(
                "the periods are numbers, which are in no year, so nothing can be discounted.",
                file.where("value.discount_rate"),
                "Write discount_rate = 0, or date the periods.",
            )
        )
    return problems


def _mix(
    file: StudyFile, part: ValuePart, table: CostTable, position: int, problems: list[Problem]
) -> dict[str, float]:
    """Return the shares of an outcome's items; faults are added to `problems`."""
    category = file.study.outcome[position].valued_as or ""
    where = file.where(f"outcome.{position}.valued_as")
    items = table.items(category)
    if not items:
        problems.append(
            Problem(
                f"'{category}' is no category of unit costs.",
                where,
                did_you_mean(category, [*table.categories, *table.costs])
                or f"Categories: {', '.join(table.categories)}.",
            )
        )
        return {}
    mix = part.mix.get(category)
    if mix is None:
        if len(items) == 1:
            return {items[0]: 1.0}
        problems.append(
            Problem(
                f"'{category}' holds {len(items)} kinds of incident, and no mix says how many of each.",
                where,
                f"Write {category} = {{ … }} under [value.mix] with shares of: {', '.join(items)}, "
                f"{NOT_VALUED}.",
            )
        )
        return {}
    allowed = (*items, NOT_VALUED)
    unknown = [item for item in mix if item not in allowed]
    problems += [
        Problem(
            f"'{item}' is no item of '{category}'.",
            file.where(f"value.mix.{category}"),
            did_you_mean(item, allowed) or f"Items: {', '.join(allowed)}.",
        )
        for item in unknown
    ]
    return {item: share for item, share in mix.items() if item not in unknown}


def _uprated(year: str, part: ValuePart, table: CostTable, where: str, problems: list[Problem]) -> float:
    try:
        return uprate(year, part.price_year, table.currency, where)
    except AreaEffectError as error:
        problems += [p for p in error.problems if str(p) not in {str(q) for q in problems}]
        return 1.0


def _releases(path: Path, table: CostTable) -> tuple[Release, ...]:
    """Return the files a valuation rests on."""
    own = _release("unit costs", path.name, path.read_bytes(), len(table.costs))
    if table.currency != DEFLATED:
        return (own,)
    raw = (files("areaeffect.value") / "gdp_deflator.toml").read_bytes()
    prices = _release("GDP deflator", "gdp_deflator.toml", raw, len(deflator().index))
    licence, attribution = "Open Government Licence v3.0", deflator().attribution
    return own, replace(prices, licence=licence, attribution=attribution)


def _release(source: str, name: str, raw: bytes, rows: int) -> Release:
    digest = hashlib.sha256(raw).hexdigest()
    return Release(source=source, file=name, sha256=digest, rows_read=rows, rows_kept=rows, rows_rejected=0)
