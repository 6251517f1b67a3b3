"""`areaeffect init`: a commented study that runs, to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from areaeffect.errors import Problem, StudyError
from areaeffect.simulate import County, CountySpec, ProgrammeSpec, simulate_county

_PROGRAMME = "My initiative"
_SPEC = CountySpec(
    n_areas=400,
    seed=12,
    first_month="2018-01",
    last_month="2021-12",
    programmes=(
        ProgrammeSpec(
            name=_PROGRAMME,
            resident_led=True,
            n_neighbourhoods=6,
            starts=("2020-01-01",),
            effects={"antisocial_behaviour": -0.2},
        ),
    ),
    gap_months=None,
)


EXAMPLES = ("county", "estate", "london", "england")
_ESTATE = CountySpec(
    n_areas=300,
    seed=4,
    first_month="2014-01",
    last_month="2021-12",
    programmes=(
        ProgrammeSpec(
            name="My estate",
            resident_led=True,
            n_neighbourhoods=1,
            starts=("2018-01-01",),
            effects={"empty_homes": -0.3},
            sizes=(5, 5),
        ),
    ),
    gap_months=None,
)
#: A drawn estate does not follow the borders of areas: this far inside them, in degrees.
_DRAWN_INSIDE = 0.0005


def init(folder: Path, example: str = "county") -> tuple[Path, ...]:
    """Write a study and its tables; never over anything.

    Parameters
    ----------
    folder : where to.
    example : 'county' for made-up counts by month in which a known fall is found; 'estate' for a
        drawn estate and a council's list of empty homes, made up; 'london' for real areas;
        'england' for any LSOAs of England, from files that `fetch` brings.

    Raises
    ------
    StudyError
        Where a file of one of these names is already there; no example of that family.
    """
    if example not in EXAMPLES:
        what = f"there is no example '{example}'."
        raise StudyError(what, "--example", f"Allowed: {', '.join(EXAMPLES)}.")
    files = _files_of(example)
    there = [folder / name for name in files if (folder / name).exists()]
    if there:
        raise StudyError([Problem("is already there.", str(t), "Choose another folder.") for t in there])
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return tuple(folder / name for name in files)


def _files_of(example: str) -> dict[str, bytes]:
    if example in {"london", "england"}:
        return example_files(example)
    made = (
        _tables(simulate_county(_SPEC)) if example == "county" else _estate_tables(simulate_county(_ESTATE))
    )
    template = "study.toml" if example == "county" else "empty_homes.toml"
    text = (files("areaeffect.commands") / "example" / template).read_text("utf-8")
    return {name: content.encode() for name, content in {"study.toml": text, **made}.items()}


def example_files(name: str) -> dict[str, bytes]:
    """Return the files of an example that travels with the package, by name."""
    folder = files("areaeffect") / "examples" / name
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir(), key=lambda f: f.name)}


def _tables(county: County) -> dict[str, str]:
    import pandas as pd

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


def _estate_tables(county: County) -> dict[str, str]:
    """Write one drawn estate, and empty homes by area and year, as a council might."""
    import geopandas as gpd
    import pandas as pd

    codes = county.areas["area_code"].to_numpy()
    years = list(county.years)
    empty = county.indicators["empty_homes"]
    homes = pd.DataFrame(
        {
            "area_code": codes.repeat(len(years)),
            "date": years * len(codes),
            "dwellings": county.areas["dwellings"].to_numpy().repeat(len(years)),
            "empty": empty.ravel(),
            "long_term_empty": (empty * 0.4).round().astype(int).ravel(),
        }
    )
    mine = county.polygons["area_code"].isin(county.membership["area_code"])
    drawn = county.polygons.loc[mine].geometry.union_all().buffer(-_DRAWN_INSIDE)
    estate = gpd.GeoDataFrame({"name": ["My estate"]}, geometry=[drawn], crs=county.polygons.crs)
    return {
        "estate.geojson": estate.to_json(drop_id=True),
        "empty_homes.csv": homes.to_csv(index=False),
        "characteristics.csv": county.areas.to_csv(index=False),
        "boundaries.geojson": county.polygons.to_json(drop_id=True),
    }
