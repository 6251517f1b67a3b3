"""A realistic `Result`, built by hand: three groups, six families, gaps, hostile names."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from areaeffect.estimate.inference import decide
from areaeffect.results import (
    ALL_INITIATIVES,
    AreaStatus,
    BalanceRow,
    Better,
    Claim,
    Finding,
    Form,
    Gap,
    Interval,
    IntervalKind,
    NeighbourhoodDesign,
    PlaceboDraws,
    Release,
    Result,
    Seal,
    Series,
    Shape,
    Verdict,
)

HOSTILE = "<script>alert(1)</script> & '\"$x^2$"
FORMULA = "=cmd|' /C calc'!A0"
GROUPS = (ALL_INITIATIVES, "Residents First", "Council Partnership")
N_NEIGHBOURHOODS = {ALL_INITIATIVES: 36, "Residents First": 24, "Council Partnership": 12}
SIDE = 20  # the made-up county is a square of SIDE x SIDE areas
OUTCOMES = (  # name, family, label, claim, form, unit, threshold, better, effect by group
    ("crime", "crime", "Crime", "change", "ratio", "crimes", 0.05, "lower", (-0.081, -0.118, 0.004)),
    (
        "antisocial_behaviour",
        "antisocial_behaviour",
        "Anti-social behaviour",
        "change",
        "ratio",
        "incidents",
        0.05,
        "lower",
        (-0.163, -0.201, -0.092),
    ),
    (
        "criminal_damage",
        "criminal_damage",
        "Criminal damage",
        "change",
        "ratio",
        "incidents",
        0.05,
        "lower",
        (-0.121, -0.174, -0.046),
    ),
    (
        "environment_score",
        "environment",
        "Neighbourhood environment",
        "level",
        "additive",
        "points",
        1.0,
        "higher",
        (2.9, 3.94, 0.71),
    ),
    (
        "empty_homes",
        "empty_homes",
        "Empty homes",
        "level",
        "ratio",
        "empty homes",
        0.1,
        "lower",
        (-0.19, -0.24, 0.062),
    ),
    (
        "social_relationships",
        "social_relationships",
        "Social relationships",
        "level",
        "additive",
        "points",
        1.0,
        "higher",
        (0.11, 0.2, None),
    ),
)
MONTHS = tuple(f"{year}-{month:02d}" for year in range(2012, 2024) for month in range(1, 13))
YEARS = tuple(str(year) for year in range(2012, 2024))
GAP = tuple(f"2017-{month:02d}" for month in range(7, 13))


def sample_result(seed: int = 5, *, shapes: bool = True, placebos: int = 399) -> Result:
    """Return the sample; the same seed gives the same result."""
    rng = np.random.default_rng(seed)
    findings = tuple(f for g in range(3) for o in range(6) for f in _findings(g, o, placebos))
    return Result(
        title="Neighbourhoods of the simulated county",
        question="Did these places end up better than they would have been?",
        findings=findings + _by_neighbourhood(rng),
        seal=Seal("3f" * 32, ("the study file", "the code version", "the releases", "every design")),
        designs=_designs(rng),
        balance=_balance(rng),
        series=tuple(_series(rng, g, o) for g in range(3) for o in range(6)),
        placebos=tuple(
            PlaceboDraws(
                GROUPS[g],
                OUTCOMES[o][0],
                OUTCOMES[o][3],
                OUTCOMES[o][4],
                tuple(rng.normal(0, 0.05 if OUTCOMES[o][4] == "ratio" else 0.8, placebos).tolist()),
            )
            for g in range(3)
            for o in range(6)
        ),
        areas=_areas(rng),
        releases=(
            Release(
                source="crimes",
                file="crimes.parquet",
                sha256="ab" * 32,
                rows_read=1_204_331,
                rows_kept=1_203_998,
                rows_rejected=333,
                licence="OGL-3.0",
                attribution="Made up.",
            ),
            Release(
                source="census",
                file=FORMULA,
                sha256="cd" * 32,
                rows_read=400,
                rows_kept=400,
                rows_rejected=0,
                licence="",
                attribution=HOSTILE,
            ),
        ),
        gaps=(
            Gap(
                source="crimes",
                outcome="crime",
                group="Northshire Police",
                first="2017-07",
                last="2017-12",
                n_areas=84,
                reason="not_published",
            ),
        ),
        notes=("84 areas of Northshire Police have no records for 2017-07 to 2017-12.",),
        plan=_plan(placebos),
        versions={"areaeffect": "0.1.0", "numpy": "2.3.0", "python": "3.11.9"},
        shapes=_shapes() if shapes else (),
    )


def _findings(g: int, o: int, placebos: int) -> list[Finding]:
    name, family, label, claim, form, unit, threshold, better, effects = OUTCOMES[o]
    group, effect = GROUPS[g], effects[g]
    n = N_NEIGHBOURHOODS[group]
    base = {
        "initiative": group,
        "group": group,
        "neighbourhood": None,
        "family": family,
        "outcome": name,
        "label": label,
        "claim": Claim(claim),
        "better": Better(better),
        "n_neighbourhoods": n,
        "n_areas": 5 * n,
        "estimand": "realised effect on these neighbourhoods",
        "pre": "2012-01 to 2015-12",
        "post": "2016-01 to 2023-12",
    }
    if effect is None:
        reason = "14% of its window is missing in the treated areas; at most 10% may be"
        return [
            Finding(
                **base,
                form=Form(form),
                unit=unit,
                threshold=threshold,
                verdict=Verdict.NOT_ESTIMABLE,
                caveats=(reason,),
            )
        ]
    half = (0.055 if form == "ratio" else 1.1) * (1 + 0.5 * (n < 20))
    more_interval = _interval(effect, 1.25 * half, None)
    verdict = decide(more_interval, threshold, Better(better), Claim(claim))
    amounts = _amounts(effect, form, claim, n)
    more = {
        "interval": _interval(effect, 1.25 * half, None if claim == "level" else 0.041),
        "n_together": 6,
        "single": _interval(effect, half, None if claim == "level" else 0.012, IntervalKind.SINGLE),
        "p_step_down": None if claim == "level" else 0.03,
        "exaggeration": 1.13,
        "bias": 0.004,
        "bias_error": 0.002,
        "estimate_centred": effect - 0.004,
        "mde": 1.45 * half,
        "maryland": 2 if claim == "level" else 3,
        "n_benchmark_areas": 130,
        "n_effective": 61.3,
        "n_disjoint_placebos": 23,
        "placebos": placebos,
        "companions": (_interval(effect, 0.9 * half, 0.02, IntervalKind.LINEARISED),),
        "caveats": ("Recorded incidents only.",) if form == "ratio" else (),
    }
    made = [
        Finding(
            **base,
            form=Form(form),
            unit=unit,
            threshold=threshold,
            verdict=verdict,
            estimate=effect,
            **amounts,
            **more,
        )
    ]
    if form == "ratio" and claim == "change":
        rate = 90 * effect
        more |= {"interval": _interval(rate, 5.0, 0.041), "mde": 7.1}
        made.append(
            Finding(
                **base,
                form=Form.ADDITIVE,
                unit=f"{unit} per 1,000 residents a year",
                threshold=4.5,
                verdict=verdict,
                estimate=rate,
                primary=False,
                **more,
            )
        )
    return made


def _interval(
    middle: float, half: float, p_value: float | None, kind: IntervalKind = IntervalKind.JOINT
) -> Interval:
    return Interval(kind=kind, level=0.95, low=middle - half, high=middle + half, p_value=p_value)


def _amounts(effect: float, form: str, claim: str, n: int) -> dict[str, float]:
    if form == "additive":
        return {"observed": 51.2 + effect, "counterfactual": 51.2}
    expected = 412.25 * n
    amounts = {"observed": expected * (1 + effect), "counterfactual": expected}
    return amounts | ({"avoided": -expected * effect} if claim == "change" else {})


def _by_neighbourhood(rng: np.random.Generator) -> tuple[Finding, ...]:
    made = []
    for i, (low, high) in enumerate(pairwise(np.sort(rng.uniform(-0.4, 0.3, 7)))):
        name = HOSTILE if i == 0 else f"Neighbourhood {i}"
        made.append(
            Finding(
                initiative="Residents First",
                group="Residents First",
                neighbourhood=name,
                family="crime",
                outcome="crime",
                label="Crime",
                claim=Claim.CHANGE,
                form=Form.RATIO,
                estimand="realised effect on this neighbourhood",
                unit="crimes",
                better=Better.LOWER,
                threshold=0.05,
                verdict=Verdict.DESCRIBED,
                n_neighbourhoods=1,
                n_areas=5,
                estimate=float(low + high) / 2,
                interval=_interval(float(low + high) / 2, float(high - low) / 2 + 0.1, 0.4),
                mde=0.31,
                primary=False,
                n_benchmark_areas=60,
                pre="2012-01 to 2015-12",
                post="2016-01 to 2023-12",
            )
        )
    return tuple(made)


def _series(rng: np.random.Generator, g: int, o: int) -> Series:
    name, _, _, _, form, unit, _, _, effects = OUTCOMES[o]
    effect = effects[g] or 0.0
    starts = (("2016-01-01", "2017-01-01", "2018-01-01"), ("2016-01-01",), ("2016-01-01", "2018-01-01"))[g]
    if o >= 3:
        level = 50 + np.linspace(0, 3, len(YEARS)) + rng.normal(0, 0.3, len(YEARS))
        change = effect if form == "additive" else level * effect
        observed = level + np.where(np.arange(len(YEARS)) >= 4, change, 0) + rng.normal(0, 0.3, len(YEARS))
        return Series(
            group=GROUPS[g],
            outcome=name,
            periods=YEARS,
            observed=tuple(observed.tolist()),
            counterfactual=tuple(level.tolist()),
            start=starts,
            gaps=(),
            unit=unit,
        )
    t = np.arange(len(MONTHS))
    level = 95 - 0.12 * t + 7 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 2, t.size)
    observed = level * (1 + np.where(t >= 48, effect, 0)) + rng.normal(0, 3.5, t.size)
    path: list[float | None] = [None if m in GAP else float(v) for m, v in zip(MONTHS, observed, strict=True)]
    return Series(
        group=GROUPS[g],
        outcome=name,
        periods=MONTHS,
        observed=tuple(path),
        counterfactual=tuple(level.tolist()),
        start=starts,
        gaps=GAP,
        unit=f"{unit} per 1,000 residents a year",
    )


def _designs(rng: np.random.Generator) -> tuple[NeighbourhoodDesign, ...]:
    made = []
    for i in range(8):
        for claim in ("change", "level"):
            weights = np.sort(rng.gamma(0.6, 1.0, 30))[::-1]
            weights *= 5 / weights.sum()
            made.append(
                NeighbourhoodDesign(
                    initiative="Residents First" if i < 5 else "Council Partnership",
                    neighbourhood=HOSTILE if i == 0 else f"Neighbourhood {i}",
                    claim=claim,
                    start="2016-01",
                    areas=tuple(f"E{i * SIDE + j:08d}" for j in range(5)),
                    benchmark_areas=tuple(
                        f"E{j:08d}" for j in rng.permutation(np.arange(200, 380))[:30].tolist()
                    ),
                    weights=tuple(weights.tolist()),
                    n_pool=240,
                    n_effective=float(weights.sum() ** 2 / (weights**2).sum()),
                    exact=i != 3,
                    imbalance=0.0 if i != 3 else 0.17,
                    periods_left_out=("2017-07",) if i == 2 else (),
                )
            )
    return tuple(made)


def _balance(rng: np.random.Generator) -> tuple[BalanceRow, ...]:
    names = [f"crime rate, {y} months before" for y in (48, 36, 24, 12)] + [
        "deprivation score",
        "income deprived %",
        "share aged 16 to 24",
        "social rented %",
        "population density",
        FORMULA,
        "private rented %",
        "born abroad %",
        "no qualifications %",
        "one-person households %",
    ]
    made = []
    for i in range(8):
        for claim in ("change", "level"):
            for name in names:
                before, after = rng.normal(0.6, 0.4), rng.normal(0, 0.06)
                made.append(
                    BalanceRow(
                        initiative="Residents First" if i < 5 else "Council Partnership",
                        neighbourhood=HOSTILE if i == 0 else f"Neighbourhood {i}",
                        claim=claim,
                        covariate=name,
                        treated_mean=10.0 + before,
                        pool_mean=10.0,
                        benchmark_mean=10.0 + before - after,
                        smd_before=before,
                        smd_after=after,
                        variance_ratio=1.1 if i else None,
                    )
                )
    return tuple(made)


def _areas(rng: np.random.Generator) -> tuple[AreaStatus, ...]:
    made = []
    reasons = (
        "within 1 km of a treated area",
        "outside the treated areas' range before the start",
        "in another initiative",
        "over 10% of its window is missing",
        "excluded by the study",
    )
    for i in range(SIDE * SIDE):
        row, column = divmod(i, SIDE)
        code, name = f"E{i:08d}", HOSTILE if i == 0 else FORMULA if i == 1 else f"Area {i}"
        if row < 8 and column < 5:
            first = "Residents First" if row < 5 else "Council Partnership"
            place = HOSTILE if row == 0 else f"Neighbourhood {row}"
            made.append(
                AreaStatus(
                    area=code, name=name, role="treated", reason="", initiative=first, neighbourhood=place
                )
            )
        elif row >= 10 and rng.random() < 0.7:
            made.append(AreaStatus(area=code, name=name, role="benchmark", weight=float(rng.gamma(0.6, 1.0))))
        elif rng.random() < 0.7:
            made.append(
                AreaStatus(
                    area=code, name=name, role="left out", reason=reasons[int(rng.integers(5)) * (column > 6)]
                )
            )
        else:
            made.append(AreaStatus(area=code, name=name, role="not chosen"))
    return tuple(made)


def _shapes() -> tuple[Shape, ...]:
    def corner(x: int, y: int) -> tuple[float, float]:
        return 400_000 + 900 * x + 250 * float(np.sin(3 * x + 7 * y)), 200_000 + 900 * y + 250 * float(
            np.cos(5 * x + y)
        )

    made = []
    for i in range(SIDE * SIDE):
        y, x = divmod(i, SIDE)
        ring = [corner(x, y), corner(x + 1, y), corner(x + 1, y + 1), corner(x, y + 1), corner(x, y)]
        made.append(Shape(f"E{i:08d}", (np.array(ring),)))
    return tuple(made)


def _plan(placebos: int) -> dict[str, object]:
    return {
        "study": {"title": "County", "window": {"start": "2012-01", "end": "2023-12"}, "seed": 20231219},
        "source": {"crimes": {"kind": "panel", "path": "crimes.parquet"}},
        "register": {"others": ["other.csv"], "buffer_km": 1.0},
        "design": {
            "unit": "neighbourhood",
            "covariates": ["census.deprivation"],
            "history": "12-month blocks",
            "nearest": 60,
            "common_support": True,
        },
        "analysis": {"placebos": placebos, "estimators": ["counterfactual"]},
    }
