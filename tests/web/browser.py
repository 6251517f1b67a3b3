"""A Chromium to look at pages with; without one a test is skipped, in CI it fails."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
NARROW = {"width": 320, "height": 640}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the Chromium of this machine, and stop it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        reason = "Chromium is not here (on Debian and Ubuntu: apt-get install chromium)."
        if os.environ.get("CI", "").lower() in {"true", "1"}:
            pytest.fail(f"{reason} In CI (CI=true) it must be there.", pytrace=False)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
