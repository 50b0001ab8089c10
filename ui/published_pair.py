"""The results of the published heatmaps' tasks, side by side: the Overview opens on them."""

from collections.abc import Iterable, Sequence

from core.request.catalog import METHODS
from core.results.library import Entry
from core.results.store import is_shipped

SIDES = ("sst2", "cola")  # the tasks


def sides_of(method: str, entries: Iterable[Entry]) -> list[Entry]:
    """Return a method's results on both tasks to show side by side; none where it lacks one.

    Both are of attention blocks, over all layers, of models with equally many: of the shipped ones, else of the
    visitor's own, the deepest. GLUE comes before written sentences.
    """
    fitting = [
        entry
        for entry in sorted(entries, key=lambda entry: entry.source == "written")
        if entry.method == method
        and entry.task in SIDES
        and entry.against is None
        and entry.until_damage is None
        and entry.scope in ("encoder", None)
        and all(point.endswith(".attention") for point in entry.points)
    ]
    firsts: dict[tuple[bool, int], dict[str, Entry]] = {}  # by task, of the shipped and own ones of each depth
    for entry in fitting:
        firsts.setdefault((is_shipped(entry.key), len(entry.points)), {}).setdefault(entry.task, entry)
    whole = [depth for depth, sides in firsts.items() if len(sides) == len(SIDES)]
    return [firsts[max(whole)][task] for task in SIDES] if whole else []


def published_pair(entries: Sequence[Entry], method: str = "") -> list[Entry]:
    """Return the results of both published tasks: by this method where it has both, else by the first that does."""
    pairs = (sides_of(name, entries) for name in (method, *METHODS))
    return next(filter(None, pairs), [])
