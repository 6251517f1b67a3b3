"""HM Land Registry: price paid data, a row a sale, placed by its postcode."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from areaeffect.errors import DataError, Problem
from areaeffect.sources.publishers.layouts import LEFT_OUT
from areaeffect.sources.publishers.postcodes import placed_postcodes

if TYPE_CHECKING:
    from areaeffect.sources.publishers.layouts import Laid
    from areaeffect.sources.publishers.releases import ReleaseFile

#: The file has no header; the publisher's guidance names the sixteen columns.
_COLUMNS = (
    *("id", "price", "day", "postcode", "property", "new_build", "tenure", "house", "flat"),
    *("street", "locality", "town", "district", "county", "category", "record"),
)
_SALES = """
CREATE TEMP TABLE sales AS
SELECT TRY_CAST(price AS DOUBLE) AS price, TRY_CAST(left(day, 10) AS DATE) AS day,
    regexp_replace(upper(postcode), '\\s', '', 'g') AS postcode, property, category
FROM read_csv($path, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"',
    columns = $columns, nullstr = '')
"""
_STRANGE = """
SELECT count(*), count(*) FILTER (price IS NULL OR price <= 0), count(*) FILTER (day IS NULL),
    count(*) FILTER (year(day) <> $year),
    count(*) FILTER (property NOT IN ('D', 'S', 'T', 'F', 'O') OR category NOT IN ('A', 'B'))
FROM sales
"""
#: Sales at market value (category A) of homes: not repossessions, not lets, not other buildings.
_COUNTED = """
SELECT area, strftime(day, '%Y-%m') AS period, count(*)::DOUBLE AS sales,
    median(price) AS median_price
FROM sales JOIN places USING (postcode) WHERE category = 'A' AND property <> 'O'
GROUP BY ALL ORDER BY area, period
"""


def read_price_paid(file: ReleaseFile, path: Path, places: Path | None = None) -> Laid:
    """Count the sales of one year by area and month, with their median price.

    Parameters
    ----------
    file : whose name ends in its year, `pp-2016.csv`.
    path : where it lies.
    places : the directory of postcodes; None checks the file and counts nothing.

    Raises
    ------
    DataError
        Not sixteen columns; prices, days or classes that are none; days of another year.
    """
    year = re.findall(r"\d{4}", file.path)[-1]
    with duckdb.connect() as connection:
        try:
            columns = dict.fromkeys(_COLUMNS, "VARCHAR")
            connection.execute(_SALES, {"path": str(path), "columns": columns})
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            what = f"the file is not sixteen columns without a header: {reason}"
            raise DataError(Problem(what, str(path))) from None
        counts = connection.execute(_STRANGE, {"year": int(year)}).fetchall()[0]
        _refuse_strange(counts, year, path)
        if places is None:
            return pd.DataFrame(columns=["area", "period", "sales", "median_price"]), counts[0]
        connection.register("places", placed_postcodes(places))
        frame = connection.execute(_COUNTED).df()
    frame.attrs[LEFT_OUT] = counts[0] - int(frame["sales"].sum())
    return frame, counts[0]


def _refuse_strange(counts: tuple[int, ...], year: str, path: Path) -> None:
    n, *strange = counts
    what = (
        "a price that is no price",
        "a day that is no day",
        f"a day that is not of {year}",
        "a class of property or sale that is not known",
    )
    problems = [
        Problem(f"{k:,} of {n:,} rows have {w}.", str(path), "The publisher may have changed it.")
        for k, w in zip(strange, what, strict=True)
        if k
    ]
    if not n:
        problems = [Problem("the file holds no sales.", str(path), "Fetch it again.")]
    if problems:
        raise DataError(problems)
