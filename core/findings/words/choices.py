"""The names under which results are offered, and the boxes that shorten the list of results."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from core.findings.choices import companions, is_control, offered, published_pair, task_title
from core.findings.words.lab import columns_name, meanings_name
from core.request.catalog import TASKS
from core.results.library import Entry, OfAnyKind, RecoveryEntry
from core.results.names import (
    SEPARATOR,
    amount_name,
    brief_name,
    capitalised,
    in_sentence,
    name_of,
    points_name,
)

SOURCES = {
    "written": "Written for this project",
    "hub": "From the Hub",
    "folder": "From a folder (GLUE or your own)",
    "file": "From a file of your own",
}
ASKING = {
    task.title: f"{task.title}: {task.question}" for task in TASKS.values()
}  # for readers new to GLUE
# Boxes that shorten the list of results to those that share a value with the one on show, by the parameter of the
# address.
BOXES: Mapping[str, Callable[[Entry], str]] = {
    "task": lambda entry: task_title(entry.task),
    "checkpoint": lambda entry: entry.model,
    "examples": lambda entry: SOURCES[entry.source],
}


def playlist(entries: Sequence[Entry], shown: Entry) -> dict[str, str]:
    """Return the results that one steps through from the one on show, by key: titles that say how they differ.

    These are the published pair and a random control of each, if the one on show is among them; else the results that
    share its boxes.
    """
    pair = published_pair(entries, shown)
    controls = [
        [other for other in companions(side, entries) if is_control(other, side)] for side in pair
    ]
    firsts = [
        min(seeds, key=lambda other: (other.until_damage or 0, other.seed))
        for seeds in controls
        if seeds
    ]
    titles = {
        entry.key: f"{task_title(entry.task)}: {in_sentence(name_of(entry))}"
        for entry in (*pair, *firsts)
    }
    if shown.key in titles:
        return titles
    among = offered(entries, [shown.key])
    return distinguishing_labels(
        [entry for entry in among if all(of(entry) == of(shown) for of in BOXES.values())]
    )


def distinguishing_labels(entries: Sequence[OfAnyKind]) -> dict[str, str]:
    """Label results that are offered together by their pruning and by whatever else they do not share.

    What tells most apart comes first, since a narrow list cuts the end off: the checkpoint before the pruning; of one
    pruning, what differs besides.

    Returns:
        A different label for each key: equal ones are numbered in the order given.
    """
    parts = [_parts(entry) for entry in entries]
    varies = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    order = (2, 0, 3, 4, 5, 1) if varies and varies[0] else (5, 4, 3, 2, 1, 0)  # of the parts
    labels = [
        SEPARATOR.join(own[k] for k in order if k == 0 or (varies[k] and own[k])) for own in parts
    ]
    return dict(zip((entry.key for entry in entries), numbered_apart(labels), strict=True))


def numbered_apart(labels: Sequence[str]) -> list[str]:
    """Tell equal labels apart by numbers before them."""
    count, seen, numbered = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        numbered.append(
            f"{seen[label]} of {count[label]}{SEPARATOR}{label}" if count[label] > 1 else label
        )
    return numbered


def _parts(entry: OfAnyKind) -> tuple[str, ...]:
    """Return the names of the pruning, the points, the checkpoint, the data, and the columns and values read.

    A study and a recovery are named by their checkpoint first.
    """
    task = task_title(entry.task)
    brief = entry.model.replace(f", fine-tuned on {task}", "")
    model = entry.model if brief == entry.model else f"{task} {brief}"
    if isinstance(entry, RecoveryEntry):
        draws = {
            "seed": entry.pruning.seed if entry.pruning.controls else 0,
            "training seed": entry.training.seed,
        }
        drawn = "".join(f", {name} {seed}" for name, seed in draws.items() if seed)
        model += f"{SEPARATOR}{amount_name(entry.amount)}, {in_sentence(brief_name(entry.pruning))}{drawn}"
    if not isinstance(entry, Entry):
        return model, "", "", entry.data, "", ""
    name, seed = name_of(entry), f"seed {entry.seed}"
    if entry.controls:  # its draws differ in the seed alone
        name = f"{capitalised(seed)}: {in_sentence(name)}".replace(f" ({seed})", "").replace(
            f", {seed})", ")"
        )
    read = columns_name(entry.columns), meanings_name(entry.label_map)
    return name, points_name(entry.points), model, entry.data, *read
