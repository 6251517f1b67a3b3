"""A study on disk whose places were chosen by a rank with a cap: 400 areas, 30 of them chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SIDE, N_MONTHS, CHOSEN, AT_MOST = 20, 48, 30, 3
CODES = [f"C{i:03d}" for i in range(SIDE * SIDE)]
MONTHS = [f"{2012 + t // 12}-{t % 12 + 1:02d}" for t in range(N_MONTHS)]
START = 36

STUDY = f"""\
[study]
title = "Placed by need"
window = {{ start = "2012-01", end = "2015-12" }}
seed = 7

[source.crime]
kind = "panel"
path = "crime.csv"
area = "area_code"
period = "month"
neighbours = "neighbours.csv"

[source.areas]
kind = "panel"
path = "areas.csv"
area = "area_code"

[[initiative]]
name = "Neediest first"
areas = "members.csv"

[register]
buffer_km = 0.0

[design]
score = "areas.need"
chosen = "highest {CHOSEN}"
cap = {{ by = "areas.authority", at_most = {AT_MOST} }}

[[outcome]]
name = "crime"
family = "crime"
source = "crime"
value = "n"
exposure = "areas.population"

[analysis]
placebos = 99
"""


def need_and_authority() -> tuple[np.ndarray, np.ndarray]:
    """Return each area's need, higher where its authority is needy, and its authority."""
    rng = np.random.default_rng(3)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    authority = row // 4 * 5 + column // 4
    need = rng.normal(0, 0.7, 25)[authority] + rng.normal(0, 1.0, SIDE * SIDE)
    return need.round(4), np.array([f"Authority {a:02d}" for a in authority])


def chosen_by_hand() -> list[int]:
    """Walk down the rank one by one, as the rule is written, with no shared code."""
    need, authority = need_and_authority()
    taken: list[int] = []
    for i in sorted(range(len(need)), key=lambda i: -need[i]):
        if sum(authority[j] == authority[i] for j in taken) < AT_MOST:
            taken.append(i)
        if len(taken) == CHOSEN:
            break
    return taken


def write_cutoff_study(folder: Path, effect: float = 0.0) -> Path:
    """Write the study and its files; the chosen areas change by so much from the start."""
    rng = np.random.default_rng(11)
    need, authority = need_and_authority()
    chosen = chosen_by_hand()
    population = rng.integers(1200, 1800, len(need))
    mean = np.repeat((population / 1500 * 20 * np.exp(0.2 * need))[:, None], N_MONTHS, axis=1)
    mean[chosen, START:] *= 1 + effect
    counts = rng.poisson(mean)
    tables = {
        "crime": pd.DataFrame(
            {
                "area_code": np.repeat(CODES, N_MONTHS),
                "month": np.tile(MONTHS, len(CODES)),
                "n": counts.ravel(),
            }
        ),
        "areas": pd.DataFrame(
            {"area_code": CODES, "population": population, "need": need, "authority": authority}
        ),
        "members": pd.DataFrame(
            [(CODES[i], f"Place {i:03d}", f"{MONTHS[START]}-01") for i in sorted(chosen)],
            columns=["area_code", "neighbourhood", "start_date"],
        ),
        "neighbours": pd.DataFrame(
            [
                (CODES[i], CODES[i + step])
                for i in range(SIDE * SIDE)
                for step, fits in ((1, i % SIDE < SIDE - 1), (SIDE, i < SIDE * (SIDE - 1)))
                if fits
            ],
            columns=["area", "neighbour"],
        ),
    }
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    study = folder / "study.toml"
    study.write_text(STUDY, encoding="utf-8")
    return study
