"""A simulated county with known effects, to see whether an evaluation finds the truth."""

from areaeffect.results import ALL_INITIATIVES
from areaeffect.simulate.county import County, simulate_county
from areaeffect.simulate.effects import Truth
from areaeffect.simulate.monthly import smallest_force
from areaeffect.simulate.spec import (
    COUNCIL_PARTNERSHIP,
    MONTHLY_COUNTS,
    OUTCOMES,
    RESIDENTS_FIRST,
    YEARLY_INDICATORS,
    CountySpec,
    ProgrammeSpec,
)
from areaeffect.simulate.write import write_base, write_county

__all__ = [
    "ALL_INITIATIVES",
    "COUNCIL_PARTNERSHIP",
    "MONTHLY_COUNTS",
    "OUTCOMES",
    "RESIDENTS_FIRST",
    "YEARLY_INDICATORS",
    "County",
    "CountySpec",
    "ProgrammeSpec",
    "Truth",
    "simulate_county",
    "smallest_force",
    "write_base",
    "write_county",
]
