"""Write all files of the static edition, and replace those of an earlier one."""

import os
import re
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from string import Template
from typing import Any

from core.charts.pages import Shown, pooled_shown
from core.charts.theme import THEMES
from core.charts.vega import text_of, vega_script
from core.errors import PrunescopeError
from core.exports.methods_page import methods_html
from core.exports.player_page import look_of
from core.exports.site_files import name_of, script, write_page, write_views
from core.exports.site_shelf import Shelf
from core.findings import pooled
from core.findings.choices import companions, is_of_model, shown_first
from core.findings.words import Finding
from core.findings.words.choices import distinguishing_labels
from core.findings.words.grid import (
    NAMING,
    GridRow,
    arranged,
    grid_rows,
    grid_table,
)
from core.findings.words.methods import methods_parts
from core.inputs.hub import Report
from core.request.catalog import ROOT
from core.request.pages import PAGES, RESULT, table_of_pages
from core.results.library import Entry
from core.results.provenance import recompute_script

BEGINNING = script("index", "").partition(",")[0]  # of an index, which marks a folder as an edition
PART = ".prunescope-"  # begins the name of the folder that is being written
THUMBNAIL = ROOT / "docs" / "thumbnail.png"
LAB = Finding("Prune a checkpoint on your own machine", ("These pages show stored results.",))
# Lines of the README that a static Space lacks.
SERVER_ONLY = ("app_port:", "suggested_hardware:")
EXPORT = r"(?m)^export (default [^;]*;|)"  # a browser loads no modules from a disk


# ---------------------------------------------------------------- the pages of some results


def make_pages(
    shelf: Shelf, data: Path, entry: Entry
) -> tuple[dict[str, Any], list[GridRow]] | str:
    """Write the pages of a sweep.

    Args:
        shelf: The results.
        data: The folder of the files.
        entry: The sweep.

    Returns:
        The index's facts about the sweep, and its row in the list of results; or why no page can
            show it.
    """
    try:
        result = shelf.read(entry)
        rows = grid_rows([result, *map(shelf.read, companions(entry, shelf.entries))])
        for page in PAGES.values():
            if page.subjects == RESULT:
                write_page(data, page.name, shelf, result)
        others = shelf.others(result)
        commands = recompute_script(result)
        for other in others:
            write_page(data, "Compare", shelf, result, shelf.read(other))
    except OSError:  # the disk is full
        raise
    except Exception as error:  # a stranger's file may break a page; the others get theirs
        reason = " ".join(f"{type(error).__name__} {error}".split())
        return f"{entry.key[:12]}…, which no page can show ({reason:.200})"
    trained = [
        other.key
        for others in shelf.trained.values()
        for other in others
        if is_of_model(other, result)
    ]
    facts = {
        "name": entry.name,
        "other": distinguishing_labels(others),
        "trained": trained,
        "recipe": commands,
    }
    return facts, [row for row in rows if row.key == entry.key]


def site_readme(results: int) -> str:
    """Describe a site of so many results.

    Its front matter is that of the app's README, which the Hub reads.
    """
    _, front, _ = (ROOT / "README.md").read_text("utf-8").split("---\n", 2)
    front = front.replace("sdk: docker", "sdk: static").replace("/docs/thumbnail", "/thumbnail")
    kept = [line for line in front.splitlines() if not line.startswith(SERVER_ONLY)]
    template = Template((ROOT / "core" / "exports" / "site_readme.md").read_text("utf-8"))
    return template.substitute(front="\n".join(kept), results=f"{results:,}")


# ---------------------------------------------------------------- the whole


def _end_with_parent() -> None:
    """End this process once the one that started it has been killed.

    A pool's processes would wait forever.
    """

    def follow() -> None:
        if parent := parent_process():
            parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


def write_site(shelf: Shelf, folder: Path, own: bool, report: Report) -> list[str]:
    """Write all files of an edition.

    Args:
        shelf: The results.
        folder: An empty folder.
        own: Whether the results are the user's: the table of all verdicts is about the shipped
            ones.
        report: Called with (stage, done, total).

    Returns:
        The results that were left out and why, a line each.

    Raises:
        PrunescopeError: No page can show any of the results.
    """
    data = folder / "data"
    data.mkdir()
    (folder / "assets").mkdir()
    results = dict[str, dict[str, Any]]()
    rows = list[GridRow]()
    problems = list[str]()
    with ProcessPoolExecutor(initializer=_end_with_parent) as pool:
        made = zip(
            shelf.chosen,
            pool.map(partial(make_pages, shelf, data), shelf.chosen),
            strict=True,
        )
        for done, (entry, outcome) in enumerate(made, 1):
            report("pages", done, len(shelf.chosen))
            if isinstance(outcome, str):
                problems.append(outcome)
            else:
                results[entry.key], own_rows = outcome
                rows += own_rows
    if not results:
        raise PrunescopeError("; ".join(problems))
    write_views(data, name_of("Lab"), lambda: Shown(LAB))
    write_views(
        data,
        name_of("All results"),
        lambda: pooled_shown(() if own else pooled.shipped()),
    )
    methods = Shown(Finding(methods_parts()[0].title), text=methods_html())
    write_views(data, name_of("Methods"), lambda: methods, html=str)
    for name, page in (("study", "Cut"), ("recovery", "Recover")):
        for trained in shelf.trained[name]:
            write_page(data, page, shelf, shelf.read(trained))
    first = (*shown_first(shelf.entries, "Story"), *shelf.chosen)
    start = next(entry.key for entry in first if entry.key in results)
    looks = (f"@media (prefers-color-scheme: {theme}) {{{look_of(theme)}}}" for theme in THEMES)
    files = {
        "data/index.js": script("index", _index(shelf, results, rows, start)),
        "assets/vega.js": f"(() => {{{vega_script()}}})();",
        "assets/site.js": re.sub(EXPORT, "", text_of("player.js", "story.js", "site.js")),
        "assets/site.css": "\n".join(
            (*looks, text_of("player.css", "story.css", "steps.css", "site.css"))
        ),
        "README.md": site_readme(len(results)),
        "index.html": text_of("site.html").replace("$story", name_of("Story", start)),
    }
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    shutil.copy(THUMBNAIL, folder)
    return problems


def _index(
    shelf: Shelf,
    results: dict[str, dict[str, Any]],
    rows: Sequence[GridRow],
    start: str,
) -> dict[str, Any]:
    rows = arranged(rows)
    table = dict(zip((row.key for row in rows), grid_table(rows), strict=True))
    columns = list(next(iter(table.values()), ()))[: NAMING + 1]
    cells = {key: [row[title] for title in columns] for key, row in table.items()}
    results = {
        key: {**facts, "cells": cells.get(key, [facts["name"]])} for key, facts in results.items()
    }
    trained = {name: distinguishing_labels(entries) for name, entries in shelf.trained.items()}
    return table_of_pages() | {
        "start": start,
        "columns": columns,
        "results": results,
        "trained": trained,
        "local": "pip install -r requirements.txt && streamlit run app.py",
    }


def is_replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or was written by this command, even if it was killed."""
    try:
        names = [path.name for path in folder.iterdir()]
        is_new = not names or any(name.startswith(PART) for name in names)
        return is_new or (folder / "data" / "index.js").read_text("utf-8").startswith(BEGINNING)
    except (OSError, ValueError):
        return False


def replace(path: Path, made: Path) -> None:
    """Replace a file, a folder or a link, never the target of a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    made.rename(path)
