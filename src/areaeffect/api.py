"""Studies in Python: data frames in, findings out, and pictures for a notebook.

The same engine as the command line: a study made here writes its study file and its tables into a
folder, and that folder evaluates to the same bytes.
"""

from __future__ import annotations

import html
import shutil
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from areaeffect import wording
from areaeffect.commands.check import check as check_study
from areaeffect.commands.evaluate import evaluate as evaluate_study
from areaeffect.commands.power import power as power_study
from areaeffect.commands.summary import summary as summary_of
from areaeffect.document.page import blocks_css
from areaeffect.draft.characteristics import characteristics_of
from areaeffect.draft.guess import area_column, guess
from areaeffect.draft.study_text import Draft, study_text
from areaeffect.errors import Problem, StudyError
from areaeffect.power.page import as_text
from areaeffect.report.figures import figure_of
from areaeffect.report.files import read_result, write_result
from areaeffect.study.file import read_study
from areaeffect.terminal import progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import pandas as pd

    from areaeffect.results import Finding, Result

_TABLE, _AREAS, _ABOUT = "outcomes.parquet", "areas.csv", "characteristics.parquet"
_OUTLINES, STUDY_FILE = "boundaries.parquet", "study.toml"
PlotKind = Literal["trend", "effects", "map", "balance"]


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
            "low, high": "the printed 95% interval, on the scale of `estimate`",
            "mde": "smallest effect that would have been detected, on the same scale",
        }
        return frame

    def summary(self) -> str:
        """Return the table that the command line prints."""
        return summary_of(self.result)

    def plot(self, kind: PlotKind = "effects", outcome: str | None = None) -> Picture:
        """Return a chart of the report.

        Parameters
        ----------
        kind : 'trend' of an outcome, 'effects' of all outcomes, 'map', or 'balance'.
        outcome : of a trend; default the first.

        Raises
        ------
        StudyError
            Where the result has no such chart: a map needs boundaries.
        """
        figure = figure_of(self.result, kind, outcome)
        if figure is None:
            what = f"there is no chart '{kind}' of this result."
            raise StudyError(Problem(what, "plot", "A map needs `boundaries`."))
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
        main = wording.main_findings(self.result.findings)
        lines = "".join(
            f"<li><b>{html.escape(str(f.verdict))}</b> – {html.escape(wording.sentence(f))}</li>"
            for f in main
        )
        return (
            f"<style>{blocks_css()}</style><h3>{html.escape(self.result.title)}</h3>"
            f"<p>{html.escape(self.result.question)}</p><ul>{lines}</ul>"
        )


class Study:
    """A study made of data frames, or read from a study file.

    Parameters
    ----------
    outcomes : one row an area and period (or a column a period), as pandas, Polars or Arrow.
    areas : codes of the initiative's areas, a frame with their neighbourhoods and starts (columns
        as in a file of areas), or drawn places as a GeoDataFrame.
    start : of the initiative: '2013-04', '2013-Q2' or '2013'.
    boundaries : outlines of all areas, a GeoDataFrame with their codes.
    characteristics : one row an area: residents, and what benchmark areas should be alike in.
    title : of the report.
    buffer_km : areas nearer than this to a treated one are left out.
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
        start: str,
        *,
        boundaries: gpd.GeoDataFrame | None = None,
        characteristics: Any = None,
        title: str = "My initiative",
        buffer_km: float = 1.0,
        placebos: int = 999,
        seed: int = 1,
        folder: str | Path | None = None,
    ) -> None:
        root = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="areaeffect-"))
        if not folder:
            weakref.finalize(self, shutil.rmtree, root, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        table = _pandas(outcomes)
        table.to_parquet(root / _TABLE, index=False)
        listed, areas_file = _write_areas(areas, root)
        found = guess(table, listed, start, root / _TABLE)
        about = None
        if characteristics is not None:
            _pandas(characteristics).to_parquet(root / _ABOUT, index=False)
            about = characteristics_of(root / _ABOUT)
        code = None
        if boundaries is not None:
            boundaries.to_parquet(root / _OUTLINES, index=False)
            texts = boundaries.drop(columns=boundaries.geometry.name)
            codes = table[found.area].astype(str).unique().tolist()
            code = area_column(texts, codes, root / _OUTLINES)
        draft = Draft(
            title=title,
            table=_TABLE,
            areas=areas_file,
            start=start,
            boundaries=_OUTLINES if boundaries is not None else None,
            boundaries_area=code,
            characteristics=_ABOUT if about else None,
            characteristics_area=about.area if about else None,
            covariates=about.covariates if about else (),
            residents=about.residents if about else None,
            buffer_km=buffer_km,
            placebos=placebos,
            seed=seed,
        )
        self.guesses: tuple[str, ...] = (*found.said, *(about.said if about else ()))
        self.path = root / STUDY_FILE
        self.path.write_text(study_text(draft, found), encoding="utf-8")

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
        read_study(made.path)
        return made

    def check(self) -> str:
        """Return what the study would work with; nothing is estimated."""
        return check_study(self.path, None, lambda _text: None).text()

    def power(self, threads: int | None = None) -> str:
        """Return how small an effect the study could see, before an outcome is looked at."""
        with progress() as tell:
            return as_text(power_study(self.path, threads, tell))

    def evaluate(self, threads: int | None = None) -> Evaluation:
        """Evaluate the study.

        Parameters
        ----------
        threads : worker processes; no number depends on it.
        """
        with progress() as tell:
            return Evaluation(evaluate_study(self.path, threads, tell))

    def __repr__(self) -> str:
        """Return the study's file and what was guessed."""
        return "\n".join([f"Study({str(self.path)!r})", *(f"  guess: {g}" for g in self.guesses)])


def load(folder: str | Path) -> Evaluation:
    """Return the findings of a results folder."""
    return Evaluation(read_result(Path(folder)))


def load_study(path: str | Path) -> Study:
    """Return the study of a study file."""
    return Study.from_file(path)


def _row(f: Finding) -> dict[str, object]:
    return {
        "group": f.group, "outcome": f.label, "claim": str(f.claim), "verdict": str(f.verdict),
        "estimate": f.estimate, "low": f.low, "high": f.high, "mde": f.mde, "unit": f.unit,
        "neighbourhoods": f.n_neighbourhoods, "areas": f.n_areas, "grade": f.maryland,
    }  # fmt: skip


def _pandas(frame: Any) -> pd.DataFrame:
    """Return a pandas, Polars or Arrow table as pandas, codes and periods as text."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        if not hasattr(frame, "to_pandas"):
            what = f"{type(frame).__name__} is not a table."
            raise StudyError(Problem(what, "outcomes", "Give a pandas, Polars or Arrow table."))
        frame = frame.to_pandas()
    made: pd.DataFrame = frame.copy()
    for column in made.columns:
        if made[column].dtype.kind == "M":
            made[column] = made[column].dt.strftime("%Y-%m-%d")
        elif made[column].dtype.kind not in "iufb":
            made[column] = made[column].astype(str).where(made[column].notna(), None)
    made.columns = pd.Index([str(c) for c in made.columns])
    return made


def _write_areas(areas: Any, root: Path) -> tuple[Sequence[str], str]:
    """Write the initiative's areas; return their codes (none where drawn) and the file's name."""
    import pandas as pd

    if hasattr(areas, "geometry"):
        areas.to_file(root / "areas.geojson", driver="GeoJSON")
        return [], "areas.geojson"
    frame = areas if isinstance(areas, pd.DataFrame) else pd.DataFrame({"area_code": list(areas)})
    frame.to_csv(root / _AREAS, index=False)
    column = "area_code" if "area_code" in frame.columns else str(frame.columns[0])
    return frame[column].astype(str).tolist(), _AREAS
