"""Every check of the falsification set, in the order of the report: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from areaeffect.checks.contamination import contamination_check
from areaeffect.checks.earlier import earlier_check
from areaeffect.checks.held_out import held_out_check
from areaeffect.checks.leads import leads_check
from areaeffect.checks.leave_area_out import leave_area_out_check
from areaeffect.checks.leave_out import leave_out_check
from areaeffect.checks.mean_reversion import mean_reversion_check
from areaeffect.checks.placement import placement_check
from areaeffect.checks.rings import rings_check
from areaeffect.checks.treated_benchmark import treated_benchmark_check
from areaeffect.checks.unmoved import unmoved_check

if TYPE_CHECKING:
    from collections.abc import Callable

    from areaeffect.checks.base import Check, Ground

CHECKS: tuple[Callable[[Ground], Check], ...] = (
    held_out_check,
    leads_check,
    earlier_check,
    rings_check,
    leave_out_check,
    leave_area_out_check,
    unmoved_check,
    treated_benchmark_check,
    contamination_check,
    mean_reversion_check,
    placement_check,
)
