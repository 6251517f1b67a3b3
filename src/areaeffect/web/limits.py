"""Every limit of the web app, by name; docs/web.md lists them, tests/web tries each."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# ---- what is sent (413 beyond)
POST_BYTES: Final = 2 * MIB
UPLOAD_BYTES: Final = 20 * MIB
#: Addresses under which a request may carry an upload; everywhere else `POST_BYTES` holds.
UPLOAD_PATHS: Final = ("/compare/upload", "/api/upload")
QUERY_BYTES: Final = 8 * KIB  # 414 beyond

# ---- what is in it (422 beyond)
POLYGON_VERTICES: Final = 500
POLYGON_PARTS: Final = 1
ZIP_UNPACKED_BYTES: Final = 200 * 10**6
ZIP_RATIO: Final = 100
SEARCH_LETTERS: Final = 100
PASTED_LETTERS: Final = 100_000
PASTED_CODES: Final = 2_000
URL_AREAS: Final = 100  # a longer selection becomes a short name on the server
SELECTED_AREAS: Final = 2_000
RADIUS_KM: Final = 20.0
KEPT_SETS: Final = 10_000  # drawn shapes and long selections kept; the oldest go

# ---- what is answered
ERROR_BYTES: Final = 1 * KIB
ROWS_A_PAGE: Final = 50

# ---- work in child processes
RUN_SECONDS: Final = 120
RUN_MEMORY_BYTES: Final = 4 * 1024 * MIB
RUNS_AT_ONCE: Final = 2
RUNS_WAITING: Final = 8
GEOMETRY_SECONDS: Final = 10
