"""A first study: `areaeffect init` writes an example, `areaeffect quick` one from two files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.commands.evaluate import evaluate_into
from areaeffect.document.chart_tables import write_text
from areaeffect.document.folders import write_whole
from areaeffect.draft.guess import Characteristics, Guess, area_column, characteristics_of, every_guess, guess
from areaeffect.draft.study_text import Draft, labels_of, study_text
from areaeffect.errors import Faults, Problem, StudyError
from areaeffect.geography.shape_files import read_shape_file
from areaeffect.periods import kind_of
from areaeffect.register.rows import read_records
from areaeffect.simulate import County, CountySpec, ProgrammeSpec, simulate_county
from areaeffect.tables.user_table import read_user_table
from areaeffect.wording import when
from areaeffect.wording.numbers import phrase

if TYPE_CHECKING:
    import pandas as pd

    from areaeffect.results import Result

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


#: Kinds of files that hold outlines or points, not a list of codes.
_DRAWN = {".geojson", ".json", ".gpkg", ".zip", ".kml", ".shp", ".topojson"}
STUDY = "study.toml"
LISTED = "Listed areas"  # the initiative, where nobody names it


def quick(
    table: Path,
    areas: Path,
    start: str,
    out: Path,
    *,
    boundaries: Path | None = None,
    characteristics: Path | None = None,
    title: str = "",
    buffer_km: float = 1.0,
    placebos: int = 999,
    threads: int | None = None,
    say: Callable[[str], None],
    progress: Callable[[str, int, int], None] | None = None,
) -> Result:
    """Guess what a table holds, write the study file that says so, and evaluate it.

    Parameters
    ----------
    table : counts by area and period, in any layout that the reader of tables takes.
    areas : the initiative's areas: a list of codes or names, or a drawing.
    start : of the initiative, as a month, quarter or year.
    out : results folder; the study file goes into a folder of the same name with '-study'.
    boundaries : outlines of the areas; without them there is no map and no buffer.
    characteristics : one row an area: residents, and what benchmark areas should be alike in.
    title : of the study and its initiative; default what is measured and since when.
    buffer_km : areas nearer than this to a treated one are left out.
    placebos, threads : of the evaluation.
    say : prints a line: every guess.
    progress : called with (step, done, of).

    Raises
    ------
    StudyError, DataError
        A table that can be read in two ways, and whatever `evaluate` refuses.
    """
    if kind_of(start) is None:
        raise StudyError(f"'{start}' is not a period.", "--start", "Write 2013-04, 2013-Q2 or 2013.")
    folder = out.with_name(f"{out.name}-study")
    frame, found, about = _guessed(table, areas, start, characteristics, say)
    draft = Draft(
        title=title or f"{_capital(_few_labels(found))} since {when(start)}",
        initiative=title or LISTED,
        table=_from(folder, table) or "",
        areas=_from(folder, areas) or "",
        start=start,
        boundaries=_from(folder, boundaries),
        boundaries_area=_code_column(boundaries, frame[found.area]) if boundaries else None,
        characteristics=_from(folder, characteristics),
        characteristics_area=about.area if about else None,
        covariates=about.covariates if about else (),
        residents=about.residents if about else None,
        buffer_km=buffer_km,
        placebos=placebos,
    )
    text = study_text(draft, found, every_guess(found, about))
    write_whole(folder, lambda aside: write_text(aside / STUDY, text))
    say(f"Study: {folder / STUDY} (edit it where a guess is wrong, then `areaeffect evaluate`)")
    return evaluate_into(folder / STUDY, out, threads, progress)


def _few_labels(found: Guess) -> str:
    """Return what is measured where that is one or two things, else how many they are."""
    n = len(found.outcomes)
    return labels_of(found) if n <= 2 else f"{n} outcomes"  # noqa: PLR2004


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _from(folder: Path, path: Path | None) -> str | None:
    """Write a path as a study file in a folder names it."""
    return None if path is None else os.path.relpath(path.absolute(), folder.absolute())


def _guessed(
    table: Path, areas: Path, start: str, characteristics: Path | None, say: Callable[[str], None]
) -> tuple[pd.DataFrame, Guess, Characteristics | None]:
    """Guess what the files hold, and say every guess; the faults of all of them come at once."""
    faults = Faults()
    listed: list[str] = []
    one_place: tuple[str, ...] = ()
    if areas.suffix.lower() not in _DRAWN:
        records = faults.attempt(read_records, areas)
        rows = records.records if records else []
        listed = [r.values.get("area_code", "") for r in rows]
        if len(rows) > 1 and not any(r.values.get("neighbourhood") for r in rows):
            one_place = (phrase("quick.one_place", n=len(rows)),)
    read = faults.attempt(read_user_table, table)
    described = faults.attempt(read_user_table, characteristics) if characteristics else None
    faults.raise_all()
    if read is None:
        raise AssertionError  # unreachable: an attempt without a result has recorded its fault
    found = guess(read.frame, [c for c in listed if c], start, table)
    found = replace(found, said=(*found.said, *one_place))
    about = None
    if described is not None and characteristics is not None:
        codes = read.frame[found.area].astype(str).unique().tolist()
        about = characteristics_of(described.frame, codes, characteristics)
    for line in every_guess(found, about):
        say(f"Guess: {line}")
    return read.frame, found, about


def _code_column(boundaries: Path, codes: pd.Series) -> str:
    """Return the column of a boundary file that holds the areas of the table."""
    shapes = read_shape_file(boundaries, "boundary file")
    texts = shapes.drop(columns=shapes.geometry.name)
    return area_column(texts, codes.astype(str).unique().tolist(), boundaries)
