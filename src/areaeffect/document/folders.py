"""Folders of results: they appear whole or not at all, and nobody else's are touched."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from areaeffect.errors import Problem, StudyError

if TYPE_CHECKING:
    from collections.abc import Callable


RUN_FILE = "run.json"


def write_whole(folder: Path, write: Callable[[Path], None], mark: str = RUN_FILE) -> None:
    """Let `write` fill a folder aside, then put it in place at once.

    An earlier result (it has the file `mark`) or an empty folder is replaced; if `write` fails,
    everything stays as it was.

    Raises
    ------
    StudyError
        Where the place is taken by a file, or by a folder that is not a result.
    """
    refuse_foreign(folder, mark)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        made = aside / "new"
        made.mkdir()
        write(made)
        refuse_foreign(folder, mark)
        if folder.exists():
            folder.rename(aside / "old")
        try:
            made.rename(folder)
        except OSError:
            if (aside / "old").exists():
                (aside / "old").rename(folder)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def refuse_foreign(folder: Path, mark: str = RUN_FILE) -> None:
    """Refuse a folder that holds anything but earlier results."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise StudyError(
            Problem("this is not a folder.", str(folder), "Name a new folder for the results.")
        )
    if folder.is_dir() and any(folder.iterdir()) and not (folder / mark).is_file():
        raise StudyError(
            Problem(
                "the folder holds files that are not results of this program; nothing was changed.",
                str(folder),
                "Name a new or empty folder, or a folder of earlier results.",
            )
        )
