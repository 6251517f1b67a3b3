"""Make docs/tutorial.ipynb, run from its first cell to its last: `python docs/make_tutorial.py`.

The cells are written here, as text and code in turn; what they print and draw comes from running
them. Needs the development packages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parent / "tutorial.ipynb"
CELLS = (
    (
        "markdown",
        """
# From areas to findings, in Python

Did recorded crime change more in nine Big Local areas of London, where residents decided how
£1 million was spent, than it would have? The data travel with the package, so nothing is
downloaded. You need `areaeffect` and Jupyter, and about two minutes.
""",
    ),
    (
        "code",
        """
import geopandas as gpd
import pandas as pd

import areaeffect as ae

london = ae.example("london").path.parent  # recorded crime, outlines and characteristics
crime = pd.read_parquet(london / "crime_by_month.parquet")
crime.head()
""",
    ),
    (
        "markdown",
        """
A study needs counts by area and period, the areas of the initiative, and when it began. With
outlines it knows which areas touch and can draw a map; with characteristics, benchmark areas are
chosen that are alike in them. Every guess about a column is said.
""",
    ),
    (
        "code",
        """
study = ae.Study(
    outcomes=crime,
    areas=pd.read_csv(london / "big_local.csv")[["area_code", "neighbourhood"]],
    start="2013-12",
    boundaries=gpd.read_parquet(london / "outlines.parquet"),
    characteristics=pd.read_parquet(london / "areas.parquet")[
        ["area_code", "residents_2011", "income_score_2008"]
    ],
    title="Big Local in London",
    placebos=199,
)
study
""",
    ),
    (
        "markdown",
        """
## Before anything is estimated

`check` says what there is to compare with; `power` says how small an effect such a study could
see. If that is larger than anything you would believe, stop here.
""",
    ),
    ("code", "study.check()"),
    ("code", "study.power()"),
    (
        "markdown",
        """
## The answer

The same design is also put on programmes that were never done. The interval comes from how far
those come out from zero.
""",
    ),
    ("code", "result = study.evaluate()\nresult"),
    (
        "markdown",
        """
*Cannot tell* means that the interval holds both better and worse. It does not mean that nothing
happened. The findings are a data frame; `attrs` says what each column means.
""",
    ),
    ("code", "result.findings.T"),
    ("code", 'result.findings.attrs["columns"]'),
    ("code", 'result.plot("trend")'),
    ("code", 'result.plot("effects")'),
    ("code", 'result.plot("balance")'),
    (
        "markdown",
        """
## Keep it

`save` writes the report, the annex and every number behind them. `study.path` is the study file
that was written on the way: the command `areaeffect evaluate` gives the same folder from it, byte
for byte.
""",
    ),
    (
        "code",
        """
import tempfile
from pathlib import Path

folder = result.save(Path(tempfile.mkdtemp()) / "results")
sorted(path.name for path in folder.iterdir())
""",
    ),
    ("code", "ae.load(folder)"),
    (
        "markdown",
        """
Next: [your own tables](how-to/your-tables.md) · [an estate drawn on a map](how-to/your-estate.md)
· [every key of a study file](reference/study.md)
""",
    ),
)


def make_notebook() -> NotebookNode:
    """Return the notebook as it is written, not yet run."""
    make = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    cells = [make[kind](text.strip(), id=f"cell-{i}") for i, (kind, text) in enumerate(CELLS, 1)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def run(notebook: NotebookNode) -> NotebookNode:
    """Run every cell; what they give is kept, but for progress and times.

    Raises
    ------
    CellExecutionError
        Where a cell fails.
    """
    NotebookClient(notebook, timeout=600, record_timing=False).execute()
    for cell in notebook.cells:
        kept = [o for o in cell.get("outputs", ()) if o.output_type == "execute_result"]
        if "outputs" in cell:
            cell.outputs = kept
    notebook.metadata.pop("language_info", None)
    return notebook


def main() -> None:
    """Write the notebook, run."""
    made = run(make_notebook())
    nbformat.write(made, NOTEBOOK)
    sys.stdout.write(f"wrote {NOTEBOOK} ({NOTEBOOK.stat().st_size:,} bytes)\n")


if __name__ == "__main__":
    main()
