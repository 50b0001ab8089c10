"""The texts of a result's examples, where this computer has them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

from platformdirs import user_cache_path

from core.request.catalog import SHIPPED, TASKS
from core.request.limits import is_hosted
from core.results.schema import TaskRecord, digest

Texts = tuple[tuple[str, ...], ...]  # one or two texts an example
Samples = tuple[Sequence[int], Sequence[Sequence[str]]]  # row numbers, and the texts of each


def texts_of(task: TaskRecord) -> Texts | None:
    """Finds the texts of a result's examples on this computer.

    Args:
        task: Row numbers, labels and the fingerprint that the texts must have.

    Returns:
        The texts in evaluation order; None where they are not at hand.
    """
    for rows, texts in _written(task) if task.source == "written" else _remembered():
        known = dict(zip(rows, texts, strict=False))  # what does not fit has another fingerprint
        found = tuple(tuple(known.get(row, ())) for row in task.examples)
        if digest({"task": task.name, "texts": found, "gold": task.gold}) == task.fingerprint:
            return found
    return None


def _written(task: TaskRecord) -> Iterator[Samples]:
    """Reads the shipped examples that were written for this project (`core.inputs.examples` needs `datasets`)."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        text = (SHIPPED / "subsets" / f"{task.name}.jsonl").read_text("utf-8")
        lines = [line for line in map(json.loads, text.splitlines()) if line["part"] == task.split]
        yield range(len(lines)), [[line[name] for name in TASKS[task.name].text_columns] for line in lines]


def _remembered() -> Iterator[Samples]:
    """Reads what this computer has kept: samples that were drawn, and, unless it serves strangers, one's own."""
    folder = user_cache_path("prunescope")
    for path in (folder / "subsets").glob("*.json"):  # of core.inputs.examples
        with suppress(OSError, ValueError, KeyError, TypeError):
            rows, texts, _ = json.loads(path.read_text("utf-8"))["examples"]
            yield rows, texts
    for path in () if is_hosted() else (folder / "own").glob("*.json"):  # of core.inputs.own_table
        with suppress(OSError, ValueError, KeyError, TypeError):
            kept = json.loads(path.read_text("utf-8"))
            yield kept["rows"], kept["texts"]
