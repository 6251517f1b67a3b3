"""What the pages of one server share: its settings and its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from areaeffect.web.published import PublishedRuns, RunsFolder
from areaeffect.web.site_pages import Frame, site_files, site_pages

if TYPE_CHECKING:
    from starlette.requests import Request

    from areaeffect.web.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class Site:
    """One server's published runs, what their pages share, and the menu of its other pages."""

    shelf: RunsFolder
    shared: Frame
    menu: Callable[[], Sequence[tuple[str, str]]]

    @classmethod
    def of(cls, settings: ServerSettings, menu: Callable[[], Sequence[tuple[str, str]]]) -> Site:
        """Open the folder of runs that settings name."""
        base_url = f"{settings.base_url}/runs" if settings.base_url else ""
        shared = Frame(contact=settings.contact, operator=settings.operator, base_url=base_url)
        return cls(RunsFolder(settings.runs), shared, menu)

    @property
    def frame(self) -> Frame:
        """What the pages of runs share now: the menu follows what the server has."""
        others = (pair for pair in self.menu() if pair[1] != "/runs/")
        return replace(self.shared, home=(("Start page", "/"), *others))

    @property
    def holdings(self) -> PublishedRuns:
        """The runs that can be read now."""
        return self.shelf.holdings()

    def pages(self) -> Mapping[str, Callable[[], bytes]]:
        """Return what gives each page and each file of all runs, by path."""
        held = self.holdings
        files = {path: file.read_bytes for path, file in site_files(held).items()}
        return {**files, **site_pages(held, self.frame)}


def site_of(request: Request) -> Site:
    """Return the holdings of the server that is asked."""
    site: Site = request.app.state.site
    return site
