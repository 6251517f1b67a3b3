"""Studies in Python: data frames in, findings out, and pictures for a notebook.

The same engine as the command line: a study made here writes its study file and its tables into a
folder, and that folder evaluates to the same bytes.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from areaeffect import wording
from areaeffect.commands.check import check as check_study
from areaeffect.commands.check import power as power_study
from areaeffect.commands.diff import summary as summary_of
from areaeffect.commands.evaluate import evaluate as evaluate_study
from areaeffect.commands.init import init
from areaeffect.draft.guess import area_column, characteristics_of, every_guess, guess
from areaeffect.draft.study_text import Draft, study_text
from areaeffect.errors import StudyError, did_you_mean, repeated
from areaeffect.geography.shape_files import write_outlines
from areaeffect.periods import kind_of
from areaeffect.power.page import as_text
from areaeffect.report.figures import figure_of
from areaeffect.report.files import read_result, write_result
from areaeffect.report.summary import answer_box
from areaeffect.study.file import read_study
from areaeffect.tables.parquet import write_columns
from areaeffect.terminal import progress

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from areaeffect.results import Finding, Result

_TABLE, _AREAS, _ABOUT = "outcomes.parquet", "areas.csv", "characteristics.parquet"
_OUTLINES, _DRAWN, STUDY_FILE = "boundaries.parquet", "areas.geojson", "study.toml"
PlotKind = Literal["trend", "effects", "map", "balance"]


class Text(str):
    """A text of several lines that a notebook and a console show as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text, without quotation marks."""
        return str(self)


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart that shows itself in a notebook; `save` writes it as SVG."""

    svg: str
    title: str

    def _repr_html_(self) -> str:
        return f'<div style="max-width:720px">{self.svg}</div>'

    def __repr__(self) -> str:
        """Return what the picture shows, in one line."""
        return f"Picture({self.title!r})"

    def save(self, path: str | Path) -> Path:
        """Write the chart as an SVG file and return its path."""
        target = Path(path)
        target.write_text(self.svg, encoding="utf-8")
        return target


class Evaluation:
    """The findings of a study, with the sentences and charts of its report."""

    def __init__(self, result: Result) -> None:
        self.result = result

    @property
    def findings(self) -> pd.DataFrame:
        """Return the leading findings, one a row; `attrs['units']` says each column's unit."""
        import pandas as pd

        main = wording.main_findings(self.result.findings)
        frame = pd.DataFrame([_row(f) for f in main])
        frame.attrs["units"] = {f.outcome: f.unit for f in main}
        frame.attrs["columns"] = {
            "estimate": "a fraction for counts (-0.1: 10% fewer), else in `unit`",
            "low, high": "the printed interval, on the scale of `estimate`",
            "p": "placebo p-value, for all primary outcomes of the group at once",
            "mde": "smallest effect that would have been detected, on the same scale",
        }
        return frame

    def summary(self) -> Text:
        """Return the table that the command line prints."""
        return Text(summary_of(self.result))

    def plot(
        self, kind: PlotKind = "effects", outcome: str | None = None, group: str | None = None
    ) -> Picture:
        """Return a chart of the report.

        Parameters
        ----------
        kind : 'trend' of an outcome, 'effects' of all outcomes, 'map', or 'balance'.
        outcome : of a trend; default the first.
        group : of neighbourhoods, as `findings` names it; default the one that leads the report.

        Raises
        ------
        StudyError
            Where there is no such kind or group, or no such chart: a map needs boundaries.
        """
        kinds = get_args(PlotKind)
        if kind not in kinds:
            fix = did_you_mean(str(kind), kinds) or f"Allowed: {', '.join(kinds)}."
            raise StudyError(f"there is no chart '{kind}'.", "plot", fix)
        groups = dict.fromkeys(f.group for f in self.result.findings if f.neighbourhood is None)
        if group is not None and group not in groups:
            fix = did_you_mean(group, tuple(groups)) or f"Allowed: {', '.join(groups)}."
            raise StudyError(f"there is no group '{group}'.", "plot", fix)
        figure = figure_of(self.result, kind, outcome, group)
        if figure is None:
            what = f"there is no chart '{kind}' of this result."
            raise StudyError(what, "plot", "A map needs `boundaries`.")
        return Picture(figure.chart, figure.title)

    def save(self, folder: str | Path) -> Path:
        """Write the report and every table into a folder, which appears whole or not at all."""
        target = Path(folder)
        write_result(self.result, target)
        return target

    def __repr__(self) -> str:
        """Return the title and the verdicts, in a few lines."""
        return f"{self.result.title}\n{self.summary()}"[:1500]

    def _repr_html_(self) -> str:
        """Return the answer as the report begins with it, for a notebook."""
        return answer_box(self.result)


class Study:
    """A study made of data frames, or read from a study file.

    Parameters
    ----------
    outcomes : one row for each area and period (or a column for each period), as pandas, Polars
        or Arrow.
    areas : of the initiative: codes, a frame with their neighbourhoods and starts (columns as in
        a file of areas), or a GeoDataFrame of drawn places.
    start : of the initiative: '2013-04', '2013-Q2', '2013', or a date.
    boundaries : outlines of all areas with their codes, a GeoDataFrame with a `crs`.
    characteristics : one row for each area: residents, and what benchmark areas are matched on.
    title : of the report.
    buffer_km : areas nearer than this to a treated one are left out; needs boundaries.
    placebos, seed : of the analysis.
    folder : where the study file and its tables are kept; default a temporary folder.

    Raises
    ------
    StudyError, DataError
        Where it is not clear what the columns hold.
    """

    def __init__(
        self,
        outcomes: Any,
        areas: Any,
        start: Any,
        *,
        boundaries: gpd.GeoDataFrame | None = None,
        characteristics: Any = None,
        title: str = "My initiative",
        buffer_km: float = 1.0,
        placebos: int = 999,
        seed: int = 1,
        folder: str | Path | None = None,
    ) -> None:
        began, table = _period(start), _table(outcomes, "outcomes")
        about = None if characteristics is None else _table(characteristics, "characteristics")
        if boundaries is not None:
            _refuse_no_outlines(boundaries)
            if boundaries.index.name and boundaries.index.name not in boundaries.columns:
                boundaries = boundaries.reset_index()
        root = _folder(folder)
        write_columns(root / _TABLE, table)
        listed, areas_file = _write_areas(areas, table, title, root)
        found = guess(table, listed, began, Path("outcomes"))
        described = code = None
        codes = table[found.area].astype(str).unique().tolist()
        if about is not None:
            write_columns(root / _ABOUT, about)
            described = characteristics_of(about, codes, Path("characteristics"))
        if boundaries is not None:
            write_outlines(root / _OUTLINES, boundaries)
            texts = boundaries.drop(columns=boundaries.geometry.name)
            code = area_column(texts, codes, Path("boundaries"))
        draft = Draft(
            title=title,
            table=_TABLE,
            areas=areas_file,
            start=began,
            boundaries=_OUTLINES if boundaries is not None else None,
            boundaries_area=code,
            characteristics=_ABOUT if described else None,
            characteristics_area=described.area if described else None,
            covariates=described.covariates if described else (),
            residents=described.residents if described else None,
            buffer_km=buffer_km,
            placebos=placebos,
            seed=seed,
        )
        self.title, self.guesses = title, every_guess(found, described)
        self.path = root / STUDY_FILE
        self.path.write_text(study_text(draft, found, self.guesses), encoding="utf-8")

    @classmethod
    def from_file(cls, path: str | Path) -> Study:
        """Return the study of a file that is there.

        Raises
        ------
        StudyError
            With every fault of the file.
        """
        made = cls.__new__(cls)
        made.path, made.guesses = Path(path), ()
        made.title = read_study(made.path).study.study.title
        return made

    def check(self) -> Text:
        """Return what the study would work with; nothing is estimated."""
        text = check_study(self.path, None, lambda _text: None).text()
        return Text(text.replace(f"`areaeffect power {self.path}`", "`power()`"))

    def power(self, threads: int | None = None) -> Text:
        """Return how small an effect the study could see, before an outcome is looked at."""
        with progress() as tell:
            return Text(as_text(power_study(self.path, threads, tell)))

    def evaluate(self, threads: int | None = None) -> Evaluation:
        """Evaluate the study.

        Parameters
        ----------
        threads : worker processes; no number depends on it.
        """
        with progress() as tell:
            return Evaluation(evaluate_study(self.path, threads, tell))

    def __repr__(self) -> str:
        """Return the title and what was guessed; `path` is the study file."""
        return "\n".join([f"Study({self.title!r})", *(f"  guess: {g}" for g in self.guesses)])


def load(folder: str | Path) -> Evaluation:
    """Return the findings of a results folder."""
    return Evaluation(read_result(Path(folder)))


def load_study(path: str | Path) -> Study:
    """Return the study of a study file."""
    return Study.from_file(path)


def example(name: str = "london", folder: str | Path | None = None) -> Study:
    """Return a study that travels with the package, ready to check and evaluate.

    Parameters
    ----------
    name : 'london' (real areas), 'county' or 'estate' (made up).
    folder : where its files are written; default a temporary folder.

    Raises
    ------
    StudyError
        Where there is no such example, or the folder holds files of these names.
    """
    root = _folder(folder)
    init(root, name)
    return Study.from_file(root / STUDY_FILE)


def _folder(folder: str | Path | None) -> Path:
    """Return the folder of a study's files; one that nobody named goes when the program ends."""
    if folder is None:
        made = Path(tempfile.mkdtemp(prefix="areaeffect-"))
        atexit.register(shutil.rmtree, made, ignore_errors=True)
        return made
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def _row(f: Finding) -> dict[str, object]:
    return {
        "group": f.group, "outcome": f.label, "claim": str(f.claim), "verdict": str(f.verdict),
        "estimate": f.estimate, "low": f.low, "high": f.high, "p": f.p_value, "mde": f.mde, "unit": f.unit,
        "neighbourhoods": f.n_neighbourhoods, "areas": f.n_areas, "grade": f.maryland,
    }  # fmt: skip


def _period(start: Any) -> str:
    """Return a start as a study file writes it; a date, a period and a number are taken too."""
    text = str(start)
    if hasattr(start, "isoformat"):
        text = start.isoformat()[:10]
    if kind_of(text) is None:
        fix = "Write '2013-04', '2013-Q2' or '2013'."
        raise StudyError(f"'{text}' is not a period.", "start", fix)
    return text


def _refuse_no_outlines(boundaries: Any) -> None:
    if not hasattr(boundaries, "geometry"):
        what, fix = "holds no outlines.", "Give a GeoDataFrame, as geopandas.read_file returns it."
        raise StudyError(f"{type(boundaries).__name__} {what}", "boundaries", fix)
    if boundaries.crs is None:
        fix = "Name it: boundaries.set_crs(27700) for the British National Grid, 4326 for degrees."
        raise StudyError("the coordinates have no named system.", "boundaries", fix)


def _table(given: Any, name: str) -> pd.DataFrame:
    """Return a pandas, Polars or Arrow table as pandas: its index a column, codes and dates text.

    Raises
    ------
    StudyError
        Where it is not a table, or two of its columns have one name.
    """
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        index = given.index
        plain = isinstance(index, pd.RangeIndex) or set(index.names) & set(given.columns)
        made = given.copy() if plain else given.reset_index()
    elif _is_table(given):
        made = pd.DataFrame(
            given.to_pydict() if hasattr(given, "to_pydict") else {c: list(given[c]) for c in given.columns}
        )
    else:
        what = f"{type(given).__name__} is not a table."
        fix = "Give a pandas, Polars or Arrow table, such as pandas.read_csv returns."
        raise StudyError(what, name, fix)
    made.columns = pd.Index([str(c) for c in made.columns])
    twice = repeated(made.columns)
    if twice:
        raise StudyError(f"column '{twice[0]}' appears more than once.", name)
    for column in made.columns:
        if made[column].dtype.kind == "M":
            made[column] = made[column].dt.strftime("%Y-%m-%d").fillna("")
        elif made[column].dtype.kind not in "iufb":
            made[column] = made[column].astype(str).where(made[column].notna(), "")
    return made


def _is_table(given: Any) -> bool:
    return hasattr(given, "columns") and hasattr(given, "__arrow_c_stream__")


def _write_areas(areas: Any, table: pd.DataFrame, title: str, root: Path) -> tuple[Sequence[str], str]:
    """Write the initiative's areas; return their codes (none where drawn) and the file's name."""
    import pandas as pd

    if hasattr(areas, "geometry"):
        codes = areas.drop(columns=areas.geometry.name).astype(str)
        known = [c for c in codes if c in table and codes[c].isin(table[c].astype(str)).all()]
        if not known:
            drawn = areas if len(areas) > 1 or {"name", "neighbourhood"} & set(codes) else (
                areas.assign(name=title)
            )  # fmt: skip
            drawn.to_file(root / _DRAWN, driver="GeoJSON")
            return [], _DRAWN
        areas = codes
    if _is_table(areas):
        frame = _table(areas, "areas")
    elif isinstance(areas, str):
        raise StudyError("is one text.", "areas", f"Write a list: ['{areas}'].")
    elif isinstance(areas, dict):
        fix = "Give a frame with the columns area_code and neighbourhood, or a list of codes."
        raise StudyError("is a dict.", "areas", fix)
    else:
        frame = pd.DataFrame({"area_code": [str(a) for a in areas]})
    if frame.empty:
        raise StudyError("no area is named.", "areas", "Give the codes of at least one.")
    frame.to_csv(root / _AREAS, index=False)
    column = "area_code" if "area_code" in frame.columns else str(frame.columns[0])
    return frame[column].astype(str).tolist(), _AREAS
