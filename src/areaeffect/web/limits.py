"""Every limit of the web app, by name; docs/web.md lists them, tests/web tries each."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

# ---- what is sent (413 beyond)
POST_BYTES: Final = 2 * MIB
UPLOAD_BYTES: Final = 20 * MIB
#: Addresses under which a request may carry an upload; everywhere else `POST_BYTES` holds.
UPLOAD_PATHS: Final = ("/find/upload",)
QUERY_BYTES: Final = 8 * KIB  # 414 beyond

# ---- what is in it (422 beyond)
POLYGON_VERTICES: Final = 500  # of one ring: a shape has one part and no holes
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
RESIDENT_WORKERS: Final = 2  # base studies held in memory
KEPT_RUNS: Final = 500  # answered questions kept; the oldest go

# ---- published runs
KEPT_BYTES: Final = 64 * MIB  # of answers in memory; the oldest go
RESULTS_KEPT: Final = 8  # whole results in memory
MADE_AT_ONCE: Final = 2  # pages and pictures; what is kept is answered meanwhile
FEED_ENTRIES: Final = 200  # the newest
FRESH_SECONDS: Final = 60  # a public page may be shown from a cache without asking again
LOOK_AGAIN_SECONDS: Final = 1.0  # the folder of runs is looked at no more often

# ---- stories and events (422 beyond; too many 429 or 503)
STORY_BYTES: Final = 128 * KIB  # of the whole form, 413 beyond
STORY_LETTERS: Final = 10_000
TITLE_LETTERS: Final = 200
CONTACT_LETTERS: Final = 200
STORY_LINKS: Final = 2  # web addresses in one text: more is advertising
STORIES_AN_HOUR: Final = 5  # from one address
STORIES_A_DAY: Final = 200  # from all
STORIES_WAITING: Final = 1_000
SIGN_INS_AN_HOUR: Final = 20  # tries of the token on the moderation page, from one address
