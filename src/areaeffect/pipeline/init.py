"""`areaeffect init`: a commented study that runs, to start from."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError
from areaeffect.simulate import CountySpec, ProgrammeSpec, simulate_county

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.simulate import County

_PROGRAMME = "My initiative"
_SPEC = CountySpec(
    n_areas=300,
    seed=1,
    first_month="2018-01",
    last_month="2021-12",
    programmes=(
        ProgrammeSpec(
            _PROGRAMME,
            resident_led=True,
            n_neighbourhoods=4,
            starts=("2020-01-01",),
            effects={"antisocial_behaviour": -0.2},
        ),
    ),
    gap=False,
)


def init(folder: Path) -> tuple[Path, ...]:
    """Write a study and its made-up tables; never over anything.

    Raises
    ------
    StudyError
        Where a file of one of these names is already there.
    """
    county = simulate_county(_SPEC)
    texts = {
        "study.toml": (files("areaeffect.pipeline") / "example" / "study.toml").read_text("utf-8"),
        **_tables(county),
    }
    there = [folder / name for name in texts if (folder / name).exists()]
    if there:
        raise StudyError(
            [Problem("is already there.", str(t), "Choose another folder.") for t in there]
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(folder / name for name in texts)


def _tables(county: County) -> dict[str, str]:
    import pandas as pd  # noqa: PLC0415  # heavy

    codes = county.areas["area_code"].to_numpy()
    n_months = len(county.months)
    outcomes = pd.DataFrame(
        {
            "area_code": codes.repeat(n_months),
            "police_force": county.areas["police_force"].to_numpy().repeat(n_months),
            "month": list(county.months) * len(codes),
            "antisocial_behaviour": county.counts["antisocial_behaviour"].ravel(),
        }
    )
    return {
        "areas.csv": county.membership.drop(columns="initiative").to_csv(index=False),
        "outcomes.csv": outcomes.to_csv(index=False),
        "characteristics.csv": county.areas.to_csv(index=False),
        "boundaries.geojson": county.polygons.to_json(drop_id=True),
    }
