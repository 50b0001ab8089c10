"""`python -m core.site`: writes the static edition, a folder of pages that need no server.

Without options it holds the shipped results of the bundled checkpoints; a link to its page can then be shared, put on a
static Space or opened from a disk. Progress goes to standard error, the folder's index.html to standard output.
"""

import argparse
import os
import re
import shutil
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.charts.theme import STYLE, THEMES
from core.charts.vega import text_of, vega_script
from core.command_line import OneLineParser, progress_shown, run_command
from core.errors import PrunescopeError
from core.exports import site_pages as pages
from core.exports.player_page import LOOK
from core.exports.site_files import Shard, script
from core.exports.site_readme import THUMBNAIL, site_readme
from core.exports.site_shelf import Shelf, shelf_of
from core.findings import pooled
from core.findings.choices import shown_first
from core.findings.words import numbered
from core.findings.words.choices import distinguishing_labels
from core.findings.words.grid import GridRow, arranged, grid_rows, grid_table
from core.findings.words.pages import ADDRESSES, FIRST_LINE, FORMER, VIEWS
from core.results.library import Entry
from core.results.provenance import recomputation
from core.results.schema import SweepResult
from core.results.store import check_writable

BEGINNING = script("index", "").partition(",")[0]  # of the index, by which a folder is known again
PART = ".prunescope-"  # begins the name of what is being written
LOCAL = "pip install -r requirements.txt && streamlit run app.py"
SCRIPTS = ("player.js", "story.js", "site.js")
STYLES = ("player.css", "story.css", "steps.css", "site.css")
EXPORT = re.compile(r"^export (default [^;]*;|)", re.MULTILINE)  # of a module; a file address has none


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = OneLineParser(prog="python -m core.site", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where to write: a new one, or one written before")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="result files of your own, not the shipped ones")
    parser.add_argument("--select", type=Path, metavar="FILE", help="text with the keys or addresses of the results")
    return parser.parse_args(arguments)


# ---------------------------------------------------------------- the pages of some results


@dataclass(frozen=True)
class Made:
    """What the pages of some results leave for the index.

    Attributes:
        results: What is known of each, by its key.
        rows: Those of the list of results.
        problems: What was left out, a line each.
    """

    results: dict[str, dict[str, Any]]
    rows: list[GridRow]
    problems: list[str]

    def write(self, page: pages.Page, folder: Path) -> None:
        """Write a page's file; say how many of its views have no room."""
        shard = Shard(page)
        (folder / "data" / f"{page.name}.js").write_text(shard.script, "utf-8")
        if shard.left_out:
            views = numbered(shard.left_out, "view")
            self.problems.append(f"left out: {views} of {page.name}, whose file would be too large")


def make_place(shelf: Shelf, place: Sequence[Entry], folder: Path) -> Made:
    """Write the pages of the results of one checkpoint on the same examples, which are judged beside each other."""
    made = Made({}, [], [])
    for entry in place:
        try:
            result = shelf.sweep(entry)
            rows = [row for row in grid_rows([result, *shelf.beside(result)]) if row.key == entry.key]
            made.results[entry.key] = _make(shelf, entry, result, folder, made)
            made.rows.extend(rows)
        except OSError:  # the disk is full
            raise
        except Exception as error:  # a stranger's file may hold what no page can show; the others have theirs
            said = " ".join(f"{type(error).__name__} {error}".split())
            made.problems.append(f"left out: {entry.key[:12]}…, which no page can show ({said:.200})")
    return made


def _make(shelf: Shelf, entry: Entry, result: SweepResult, folder: Path, made: Made) -> dict[str, Any]:
    of_one = (pages.story_page, pages.layers_page, pages.present_page, pages.sentences_page)
    others, study, how = shelf.others(result), shelf.study_of(result), recomputation(result)
    for page in of_one:
        made.write(page(result, shelf), folder)
    for other in others:
        made.write(pages.compare_page(result, shelf.sweep(other), shelf), folder)
    return {
        "name": entry.name,
        "other": distinguishing_labels(others),
        "study": study.key if study else "",
        "recipe": f"{how.script}\n{how.missing}".strip(),
    }


# ---------------------------------------------------------------- the whole


def _end_with_parent() -> None:
    """End this process once the one that started it has been killed: a pool's processes would wait forever."""
    parent = parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def write_site(shelf: Shelf, folder: Path, own: bool) -> list[str]:
    """Write all files.

    Args:
        shelf: The results.
        folder: An empty one.
        own: Whether they are not the shipped ones, of which there is a table of all verdicts.

    Returns:
        What was left out, a line each.

    Raises:
        PrunescopeError: No page can show any of the results.
    """
    for name in ("assets", "data"):
        (folder / name).mkdir()
    places = defaultdict(list)
    for entry in shelf.chosen:
        places[entry.checkpoint, entry.fingerprint].append(entry)
    made = Made({}, [], [])
    done, jobs = 0, [(shelf, place, folder) for place in places.values()]
    with ProcessPoolExecutor(initializer=_end_with_parent) as pool, progress_shown("site", unit="result") as report:
        for place, each in zip(places.values(), pool.map(make_place, *zip(*jobs, strict=True)), strict=True):
            made.results.update(each.results)
            made.rows.extend(each.rows)
            made.problems.extend(each.problems)
            report("pages", done := done + len(place), len(shelf.chosen))
    if not made.results:
        raise PrunescopeError("; ".join(made.problems))
    made.write(pages.grid_page(() if own else pooled.shipped()), folder)
    made.write(pages.methods_page(), folder)
    for study in shelf.studies:
        made.write(pages.cut_page(shelf.study(study)), folder)
    first = (*shown_first(shelf.entries, "Story"), *shelf.chosen)
    start = next(entry.key for entry in first if entry.key in made.results)
    looks = (
        f"@media (prefers-color-scheme: {name}) {{{LOOK.format(name=name, **vars(theme))}}}"
        for name, theme in THEMES.items()
    )
    files = {
        "data/index.js": script("index", _index(shelf, made, start)),
        "assets/vega.js": f"(() => {{{vega_script()}}})();",
        "assets/site.js": EXPORT.sub("", text_of(*SCRIPTS)),
        "assets/site.css": "\n".join((*looks, text_of(*STYLES))),
        "README.md": site_readme(len(made.results)),
        "index.html": text_of("site.html").replace("$story", pages.name_of("story", start)),
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    shutil.copy(THUMBNAIL, folder)
    return made.problems


def _index(shelf: Shelf, made: Made, start: str) -> dict[str, Any]:
    grid = arranged(made.rows)
    cells = dict(zip((row.key for row in grid.rows), grid_table(grid), strict=True))
    leads = {known["study"]: key for key, known in reversed(made.results.items())}
    return {
        "pages": {address: title for title, address in ADDRESSES.items()},
        "first": {label: ADDRESSES[title] for label, title in FIRST_LINE.items()},
        "views": [ADDRESSES[title] for title in VIEWS],
        "former": FORMER,
        "style": STYLE,
        "start": start,
        "results": {key: {**known, "cells": cells.get(key, {})} for key, known in made.results.items()},
        "studies": {study.key: {"name": study.name, "result": leads.get(study.key, "")} for study in shelf.studies},
        "local": LOCAL,
    }


def _is_replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or holds what this command has written, also where it was killed meanwhile."""
    try:
        names = [path.name for path in folder.iterdir()]
        return (
            not names
            or any(name.startswith(PART) for name in names)
            or (folder / "data" / "index.js").read_text("utf-8").startswith(BEGINNING)
        )
    except (OSError, ValueError):
        return False


def _replace(path: Path, made: Path) -> None:
    """Put what was made in the place of a path: a link goes, and not what it leads to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    made.rename(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the static edition and print its path."""
    options = parse(arguments)
    folder: Path = options.folder
    if folder.exists() and not _is_replaceable(folder):
        raise PrunescopeError(f"{folder} is not empty and holds no static edition: choose a new folder")
    check_writable(folder)
    shelf = shelf_of(options.results, options.select)
    try:
        for part in folder.glob(f"{PART}*"):
            shutil.rmtree(part)
        with TemporaryDirectory(dir=folder, prefix=PART) as place:  # what is there stays until all is written
            problems = write_site(shelf, Path(place), options.results is not None)
            for made in Path(place).iterdir():
                _replace(folder / made.name, made)
    except OSError as error:
        raise PrunescopeError(f"cannot write {folder} ({error.strerror}): make room there") from error
    for problem in problems:
        print(problem, file=sys.stderr)
    print(folder / "index.html")
    return 0


if __name__ == "__main__":
    run_command(main)
