"""Packs the web app's third-party files into the wheel; without them the wheel has no map."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEnd(BuildHookInterface):
    """Fetch the files that `frontend/package-lock.json` pins, when a wheel is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the files into the wheel; an editable install never runs npm."""
        if self.target_name != "wheel" or version == "editable":
            return
        path = Path(self.root) / "frontend" / "assets.py"
        spec = importlib.util.spec_from_file_location("areaeffect_assets", path)
        if spec is None or spec.loader is None:
            return
        assets = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(assets)
        try:
            made = assets.make()
        except assets.NoAssetsError as error:
            self.app.display_warning(
                f"areaeffect: this wheel has NO MAP, its files could not be fetched: {error}"
            )
            return
        for file in made:
            build_data["force_include"][str(file)] = f"areaeffect/web/vendor/{file.name}"
