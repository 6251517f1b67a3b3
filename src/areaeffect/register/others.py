"""Other initiatives of the register: where else something is known to have happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from areaeffect.register.rows import read_records, require_column

if TYPE_CHECKING:
    from pathlib import Path

    from areaeffect.panel import Strings
    from areaeffect.results import Ints


def other_areas(path: Path, areas: Strings) -> tuple[Ints, str]:
    """Read the areas of another initiative: positions in the panel, and a note."""
    columns, records = read_records(path)
    require_column("area_code", columns, path)
    position = {str(code): i for i, code in enumerate(areas)}
    codes = [r.values["area_code"] for r in records]
    found = sorted({position[c] for c in codes if c in position})
    note = f"{path.name}: {len(codes)} rows of other initiatives, {len(found)} areas in the panel."
    return np.array(found, dtype=np.int64), note
