"""What the pages of one server share: its settings, its runs, its stories, its kept answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from areaeffect.web import render
from areaeffect.web.kept import Answer, Keeper, answer_of
from areaeffect.web.published import Shelf
from areaeffect.web.refusals import Refusal
from areaeffect.web.voices import Voices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from areaeffect.results import Column
    from areaeffect.web.published import PublishedRun
    from areaeffect.web.settings import Settings
    from areaeffect.web.voices import Voice

JSON_TYPE = "application/json"
CSV_TYPE = "text/csv; charset=utf-8; header=present"
HTML_TYPE = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Site:
    """One server's holdings."""

    settings: Settings
    shelf: Shelf
    voices: Voices
    keeper: Keeper

    @classmethod
    def of(cls, settings: Settings) -> Site:
        """Open the folders that settings name."""
        return cls(
            settings,
            Shelf(settings.runs),
            Voices(settings.stories),
            Keeper(public=settings.is_public),
        )

    @property
    def address(self) -> str:
        """What stands before every path in a feed; never taken from a request."""
        settings = self.settings
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        return (settings.base_url or f"http://{name}:{settings.port}").rstrip("/")

    @property
    def takes_stories(self) -> bool:
        """Whether residents can send something in: where somebody can moderate it."""
        return self.settings.token is not None or not self.settings.read_only

    def told(self, run: PublishedRun | None = None) -> list[Voice]:
        """Return the stories and events that are shown, of residents and of runs, newest first."""
        runs = [run] if run else list(self.shelf.runs().values())
        names = {r.name for r in runs}
        found = {v.key: v for r in runs for v in r.voices}
        own = {(v.run, v.kind, v.date, v.place, v.title) for v in found.values()}
        found |= {
            v.key: v
            for v in self.voices.shown()
            if v.run in names and (v.run, v.kind, v.date, v.place, v.title) not in own
        }
        return sorted(found.values(), key=lambda v: (v.time, v.key), reverse=True)

    def voice(self, key: str) -> Voice:
        """Return one story or event that is shown.

        Raises
        ------
        Refusal
            404: there is none of this name.
        """
        found = next((v for v in self.told() if v.key == key), None)
        if found is None:
            raise Refusal(404, "This story is not here.", "It may have been taken back.")
        return found

    def title_of(self, run: str) -> str:
        """Return the title of a run."""
        return self.shelf.run(run).title

    def state(self) -> tuple[object, ...]:
        """Return what changes whenever a run or a story does."""
        return (self.shelf.state if self.shelf.runs() else "", *self.voices.state())


def site_of(request: Request) -> Site:
    """Return the holdings of the server that is asked."""
    site: Site = request.app.state.site
    return site


def html(request: Request, template: str, **values: Any) -> Answer:
    """Make a page that can be kept."""
    return answer_of(bytes(render.page(request, template, **values).body), HTML_TYPE)


def json_answer(content: Any) -> Answer:
    """Make JSON that can be kept."""
    from areaeffect.document.csv_files import json_text

    return answer_of(json_text(content).encode(), JSON_TYPE)


def csv_answer(columns: Sequence[Column], rows: Sequence[dict[str, Any]]) -> Answer:
    """Make a table that can be kept: numbers as they are, texts guarded."""
    from areaeffect.document.csv_files import table_text

    return answer_of(table_text(columns, rows).encode(), CSV_TYPE)
