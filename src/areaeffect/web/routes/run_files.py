"""The tables and files of published runs: to read, and to take away as they are."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from areaeffect.web import limits, view_state
from areaeffect.web.kept import Answer, answer_of
from areaeffect.web.refusals import Refusal
from areaeffect.web.site import CSV_TYPE, HTML_TYPE, JSON_TYPE, html, json_answer, site_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from areaeffect.web.settings import Settings

NAV: tuple[str, str] | None = None
TYPES = {
    ".html": HTML_TYPE,
    ".pdf": "application/pdf",
    ".json": JSON_TYPE,
    ".csv": CSV_TYPE,
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TableView:
    """Which rows of a table are shown."""

    page: str = view_state.word(r"[1-9][0-9]{0,5}", "1", "the number of a page")


def routes(_settings: Settings) -> list[Route]:
    """Return the addresses of tables and files."""
    table = "/runs/{run}/tables/{table}"
    return [
        Route(f"{table}.csv-metadata.json", _kept(partial(_file, end=".csv-metadata.json"))),
        Route(f"{table}.json", _kept(_table_json)),
        Route(f"{table}.csv", _kept(partial(_file, end=".csv"))),
        Route(table, _table),
        Route("/runs/{run}/files/{path:path}", _kept(_stored)),
    ]


def _kept(make: Callable[[Request], Answer]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        view_state.parse(view_state.NoState, request.query_params.multi_items())
        site = site_of(request)
        run = site.shelf.run(request.path_params["run"])
        return await site.keeper.respond(
            request, (request.url.path, run.state), partial(make, request)
        )

    return endpoint


async def _table(request: Request) -> Response:
    view = view_state.parse(TableView, request.query_params.multi_items())
    site = site_of(request)
    run = site.shelf.run(request.path_params["run"])
    name = (request.url.path, view.page, run.state)
    return await site.keeper.respond(request, name, partial(_table_page, request, int(view.page)))


def _table_page(request: Request, number: int) -> Answer:
    run = site_of(request).shelf.run(request.path_params["run"])
    table = run.table(request.path_params["table"])
    pages = max(1, -(-len(table.rows) // limits.ROWS_A_PAGE))
    if number > pages:
        raise Refusal(404, f"This table has {pages} pages.", "Choose one of them.", "page")
    first = (number - 1) * limits.ROWS_A_PAGE
    return html(
        request,
        "table.html.j2",
        title=f"{table.title}: {run.title}",
        run=run,
        table=table,
        rows=table.rows[first : first + limits.ROWS_A_PAGE],
        first=first + 1,
        number=number,
        pages=pages,
    )


def _table_json(request: Request) -> Answer:
    run = site_of(request).shelf.run(request.path_params["run"])
    table = run.table(request.path_params["table"])
    path = run.file(f"data/{table.name}.csv")
    columns = [
        {"name": c.name, "datatype": c.datatype, "description": c.description}
        for c in table.columns
    ]
    made_from = {
        "file": f"/runs/{run.name}/tables/{table.name}.csv",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    about = {"run": run.name, "table": table.name, "title": table.title, "made_from": made_from}
    return json_answer(about | {"columns": columns, "rows": table.records()})


def _file(request: Request, end: str) -> Answer:
    return stored_file(request, f"data/{request.path_params['table']}{end}")


def _stored(request: Request) -> Answer:
    return stored_file(request, request.path_params["path"])


def stored_file(request: Request, name: str) -> Answer:
    """Return a file of a run as it is.

    A page of the report may use the style that it carries, named by its hash, and nothing else.
    """
    path = site_of(request).shelf.run(request.path_params["run"]).file(name)
    body = path.read_bytes()
    if path.suffix != ".html":
        return answer_of(body, TYPES[path.suffix])
    hashes = [base64.b64encode(hashlib.sha256(s).digest()).decode() for s in _STYLE.findall(body)]
    styles = " ".join(f"'sha256-{h}'" for h in hashes) or "'none'"
    policy = (
        f"default-src 'none'; style-src {styles}; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return answer_of(body, HTML_TYPE, (("content-security-policy", policy),))
