"""`areaeffect ingest police-uk`: files as they come into the store, whole or not at all."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from areaeffect.disk import sha256_of
from areaeffect.errors import DataError, Problem
from areaeffect.sources.police_uk import rows
from areaeffect.sources.police_uk.counting import (
    Engine,
    duckdb_counter,
    require_spark,
    spark_counter,
    write_counts,
)
from areaeffect.sources.police_uk.files import IngestReport, StreetFile, find_files, read_files, report_on
from areaeffect.sources.police_uk.lake import ManifestRow, Transaction, is_unfinished, writing
from areaeffect.sources.police_uk.rows import REPEATED, Rejected, RowsUsed

SOURCE = "police_uk"
#: Numbered text that goes through the engine at once: bounds memory and scratch space.
BATCH_BYTES = 48 << 20
_CURRENT, _REPLACED, _PASSED = "current", "replaced", "passed over"
_SHOWN = 20
_REJECTED = """
COPY (SELECT $file AS file, unnest($line::INTEGER[]) AS line, unnest($reason::VARCHAR[]) AS reason,
    unnest($row::VARCHAR[]) AS row) TO $path (FORMAT parquet, COMPRESSION zstd)
"""
_ALSO = {"british-transport": "btp"}
#: A file of so many rows or more of which this share repeats others was put together from copies.
_FEWEST_ROWS, _MOST_REPEATED = 200, 0.25


@dataclass(slots=True, kw_only=True)
class _Batch:
    """Files that go through the engine together."""

    text: Path
    files: list[tuple[int, StreetFile, ManifestRow]] = field(default_factory=list)
    rejected: dict[int, list[Rejected]] = field(default_factory=dict)
    n_rows: dict[int, int] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)
    size: int = 0


def ingest_police_uk(
    paths: Sequence[Path],
    store: Path,
    tell: Callable[[str, int, int], None] | None = None,
    engine: Engine = "duckdb",
) -> IngestReport:
    """Read street files of zips and folders, or CSV files, into the store, made where there is none.

    A later file of the same force and month replaces an earlier one. `tell` is called with step, done
    and of. Whatever `engine` counts, the store is the same, byte for byte. With every problem found
    an error is raised, and the store is as it was.
    """
    say = tell or (lambda _step, _done, _of: None)
    if engine == "spark":
        require_spark()
    listing = find_files(paths)
    digests = {path: sha256_of(path) for path in dict.fromkeys(f.container for f in listing.files)}
    try:
        with writing(store) as lake:
            manifest = lake.manifest()
            new = _to_read(listing.files, digests, manifest)
            if new:
                fresh = _Ingest(lake, manifest, digests).run(new, say, engine)
                passed: list[ManifestRow] = [
                    {
                        "source": SOURCE,
                        "file": p.name,
                        "release_sha256": "",
                        "status": _PASSED,
                        "why": {p.reason: 1},
                    }
                    for p in listing.passed_over
                ]
                unique = {
                    (r.get("month", ""), r.get("force", ""), r["file"], r["release_sha256"]): r
                    for r in [*manifest, *passed, *fresh]
                }
                manifest = [unique[key] for key in sorted(unique)]
                lake.write_manifest(manifest)
                say("writing", 0, 1)
                lake.commit()
    except (OSError, duckdb.Error) as error:
        raise DataError(_storage_problem(error, store)) from error
    wanted = {digests[f.container] for f in listing.files}
    given = [r for r in manifest if r["release_sha256"] in wanted and r["status"] != _PASSED]
    return report_on(given, len(new), listing.passed_over)


def _to_read(
    files: Sequence[StreetFile], digests: Mapping[Path, str], manifest: list[ManifestRow]
) -> list[StreetFile]:
    """Return the files that must be read for the store to hold what was given last.

    A file that was read before is read again only where it is the last one given of its force
    and month, and the store now holds another.
    """
    known = {(r["release_sha256"], r["file"]): r["status"] for r in manifest}
    last = {(f.force, f.month): f for f in files}

    def is_done(file: StreetFile) -> bool:
        status = known.get((digests[file.container], file.name))
        is_last = last[file.force, file.month] is file
        return status == _CURRENT or (status == _REPLACED and not is_last)

    return [f for f in files if not is_done(f)]


class _Ingest:
    """One run over new files: batches through the engine, rows for the manifest, counts.

    While the engine works on one batch, the next is unpacked and numbered.
    """

    def __init__(self, lake: Transaction, manifest: list[ManifestRow], digests: dict[Path, str]) -> None:
        self.lake = lake
        self.digests = digests
        self.current = {(r["force"], r["month"]): r for r in manifest if r["status"] == _CURRENT}
        self.done: list[ManifestRow] = []
        self.problems: list[Problem] = []
        self.forces_of: dict[str, set[str]] = {}  # by month, of what this run stores

    def run(
        self, files: list[StreetFile], say: Callable[[str, int, int], None], engine: Engine
    ) -> list[ManifestRow]:
        """Ingest the files; return their manifest rows."""
        connection = rows.connect(self.lake.scratch)
        try:
            with ThreadPoolExecutor(1) as behind:
                self._read(files, say, connection, behind)
            if self.problems:
                raise DataError(self.problems[:_SHOWN])
            connection.execute("DROP TABLE IF EXISTS checked")
            self._count(connection, say, engine)
        finally:
            connection.close()
        return self.done

    def _read(
        self,
        files: list[StreetFile],
        say: Callable[[str, int, int], None],
        connection: duckdb.DuckDBPyConnection,
        behind: ThreadPoolExecutor,
    ) -> None:
        batch, before = (_Batch(text=self.lake.scratch / f"batch-{i}.csv") for i in (0, 1))
        at_work: Future[None] | None = None

        def hand_over() -> Future[None]:
            with batch.text.open("wb") as stream:
                stream.writelines(batch.lines)
            batch.lines.clear()
            if at_work is not None:
                at_work.result()
            return behind.submit(self._through_engine, connection, batch)

        for number, (file, data) in enumerate(read_files(files)):
            say("reading", number, len(files))
            in_work = {(f.force, f.month) for _, f, _ in (*batch.files, *before.files)}
            is_later = (file.force, file.month) in in_work
            full = BATCH_BYTES if at_work else BATCH_BYTES // 4  # the engine starts early on the first
            if batch.files and (is_later or batch.size > full):
                at_work = hand_over()
                batch, before = _Batch(text=before.text), batch
            if is_later and at_work is not None:
                at_work.result()  # what is known of the earlier release must be whole
            row: ManifestRow = {
                "source": SOURCE,
                "file": file.name,
                "release": file.container.name,
                "release_sha256": self.digests[file.container],
                "sha256": hashlib.sha256(data).hexdigest(),
                "bytes": len(data),
                "force": file.force,
                "month": file.month,
            }
            held = self.current.get((file.force, file.month), {})
            # these very bytes: a month in two overlapping archives
            if held.get("sha256") == row["sha256"] and "rows_read" in held:
                self.done.append({**held, **row})
            else:
                self._add(batch, number, file, data, row)
        if batch.files:
            at_work = hand_over()
        if at_work is not None:
            at_work.result()

    def _add(self, batch: _Batch, number: int, file: StreetFile, data: bytes, row: ManifestRow) -> None:
        try:
            numbered = rows.number_lines(data, number, file.name)
        except DataError as error:
            self.problems += error.problems
            return
        batch.lines.append(numbered.lines)
        row["note"] = numbered.note
        batch.files.append((number, file, row))
        batch.rejected[number] = list(numbered.rejected)
        batch.n_rows[number] = numbered.n_rows
        batch.size += len(numbered.lines)

    def _through_engine(self, connection: duckdb.DuckDBPyConnection, batch: _Batch) -> None:
        if self.problems:
            return  # nothing will be stored; the rest is only looked at for more of them
        numbers = [(n, f.month) for n, f, _ in batch.files]
        found = rows.load(connection, batch.text, numbers, [f.name for _, f, _ in batch.files])
        kept = rows.kept(connection)
        paths: dict[int, Path] = {}
        for number, file, row in batch.files:
            rejected = sorted([*batch.rejected[number], *found.get(number, [])], key=lambda r: r.line)
            _complete(row, kept.get(number), rejected, batch.n_rows[number])
            folder = f"force={file.force}/month={file.month}/part.parquet"
            paths[number] = self.lake.new_file(f"{SOURCE}/incidents/{folder}")
            self._write_rejected(f"{SOURCE}/rejected/{folder}", file, rejected)
            earlier = self.current.get((file.force, file.month))
            self.problems += _useless(row, earlier)
            if earlier is not None:
                earlier["status"], earlier["replaced_by"] = _REPLACED, row["sha256"]
            self.current[file.force, file.month] = row
            self.done.append(row)
            self.forces_of.setdefault(file.month, set()).add(file.force)
        rows.write_incidents(connection, paths)

    def _count(
        self, connection: duckdb.DuckDBPyConnection, say: Callable[[str, int, int], None], engine: Engine
    ) -> None:
        """Count and write every month of this run; DuckDB works on several at once."""
        folder = self.lake.staged(f"{SOURCE}/incidents")
        months = sorted(self.forces_of)
        names = [f"{SOURCE}/counts/month={month}/part.parquet" for month in months]
        old = [self.lake.current(name) for name in names]
        new = [self.lake.new_file(name) for name in names]
        with ExitStack() as stack:
            is_spark = engine == "spark"
            count = stack.enter_context(spark_counter(folder)) if is_spark else duckdb_counter(folder)
            pool = stack.enter_context(ThreadPoolExecutor(1 if is_spark else rows.WRITERS))

            def write(month: str, earlier: Path | None, path: Path) -> None:
                own = connection.cursor()
                count(own, month)
                write_counts(own, month, sorted(self.forces_of[month]), earlier, path)

            for number, _ in enumerate(pool.map(write, months, old, new), 1):
                say("counting", number, len(months))

    def _write_rejected(self, name: str, file: StreetFile, rejected: list[Rejected]) -> None:
        if not rejected:
            self.lake.remove(name)
            return
        given = {
            "file": file.name,
            "line": [r.line for r in rejected],
            "reason": [r.reason for r in rejected],
            "row": [r.text for r in rejected],
            "path": str(self.lake.new_file(name)),
        }
        with duckdb.connect() as own:  # without pandas, whose import takes as long as a month of a force
            own.execute(_REJECTED, given)


def _complete(row: ManifestRow, kept: RowsUsed | None, rejected: list[Rejected], n_rows: int) -> None:
    n_kept = kept.rows if kept else 0
    if n_kept + len(rejected) != n_rows:
        raise DataError(
            f"{n_rows} rows were read, {n_kept} kept and {len(rejected)} rejected: "
            f"{abs(n_rows - n_kept - len(rejected))} are unaccounted for.",
            row["file"],
            "Nothing was stored. Please report this file.",
        )
    if kept and force_named(kept.police, row["force"]) != row["force"]:
        row["other_police"] = kept.police
    row.update(
        status=_CURRENT,
        rows_read=n_rows,
        rows_kept=n_kept,
        rows_rejected=len(rejected),
        categories=dict(sorted(kept.categories.items())) if kept else {},
        not_located=kept.not_located if kept else 0,
        with_point_only=kept.with_point_only if kept else 0,
        why=dict(Counter(reject.reason for reject in rejected)),
    )


def force_named(police: str, own: str) -> str:
    """Return the force that a file's text names, 'cleveland' of 'Cleveland Police'; `own` where none."""
    words = re.findall("[a-z]+", police.lower().replace("&", " and "))
    slug = "-".join(w for w in words if w not in {"police", "constabulary", "service"})
    if slug == own or slug in _ALSO:
        return _ALSO.get(slug, own)
    from areaeffect.geography.codes import territorial_forces  # NumPy is slow to import

    return slug if slug in territorial_forces() else own


def _useless(row: ManifestRow, earlier: ManifestRow | None) -> list[Problem]:
    """Refuse a file of copies, or without a row of use; one without rows only where it would replace."""
    held = earlier["rows_kept"] if earlier else 0
    again, rows = row["why"].get(REPEATED, 0), row["rows_read"]
    if again > _MOST_REPEATED * rows and rows >= _FEWEST_ROWS:
        what = f"{again} of its {rows} rows are there again: it was put together from copies."
        fix = "Give the file as the publisher offers it: rows without a Crime ID cannot be told apart."
        return [Problem(what, row["file"], fix)]
    if row["rows_kept"] or not (row["rows_rejected"] or held):
        return []
    why = "it holds none"
    if row["why"]:
        most = max(row["why"], key=row["why"].__getitem__)
        why = f"{row['rows_rejected']} of {row['rows_read']} were rejected, most because {most}"
    kept = f" The store keeps the {held} rows that it has of this month." if held else ""
    return [
        Problem(
            f"no row of the file can be used: {why}.",
            row["file"],
            f"Nothing was stored. Give the file as the publisher offers it.{kept}",
        )
    ]


def _storage_problem(error: Exception, store: Path) -> Problem:
    state = "it is as it was"
    if is_unfinished(store):
        state = "the change is decided, and the next command on the store finishes it"
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if "No space left" in str(error) or "not enough space" in str(error).lower():
        return Problem(f"the disk is full; of the store: {state}.", str(store), "Make room and start again.")
    return Problem(
        f"the store cannot be written ({reason}); of the store: {state}.",
        str(store),
        "See that the disk is sound and can be written, and start again.",
    )
