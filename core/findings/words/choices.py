"""The names under which results are offered, and the boxes that shorten the list of results."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from core.findings.choices import (
    companions,
    is_control,
    offered,
    published_pair,
    task_title,
)
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
# For readers new to GLUE.
ASKING = {task.title: f"{task.title}: {task.question}" for task in TASKS.values()}
# Boxes that shorten the list of results to those that share a value with the one on show, by the
# parameter of the address.
BOXES: Mapping[str, Callable[[Entry], str]] = {
    "task": lambda entry: task_title(entry.task),
    "checkpoint": lambda entry: entry.model,
    "examples": lambda entry: SOURCES[entry.source],
}


def playlist(entries: Sequence[Entry], shown: Entry) -> dict[str, str]:
    """Title the results, by key, that one steps through from the one on show.

    These are the published pair and a random control of each, if the one on show is among them;
    else the results that share its boxes.
    """
    titled = published_pair(entries, shown)
    for side in tuple(titled):
        controls = [other for other in companions(side, entries) if is_control(other, side)]
        titled += sorted(controls, key=lambda other: (other.until_damage or 0, other.seed))[:1]
    if shown in titled:
        return {
            entry.key: f"{task_title(entry.task)}: {in_sentence(name_of(entry))}"
            for entry in titled
        }
    among = offered(entries, [shown.key])
    return distinguishing_labels(
        [entry for entry in among if all(of(entry) == of(shown) for of in BOXES.values())]
    )


def distinguishing_labels(entries: Sequence[OfAnyKind]) -> dict[str, str]:
    """Label results that are offered together by their pruning and whatever else differs.

    What tells most apart comes first, since a narrow list cuts the end off: the checkpoint before
    the pruning; of one pruning, what differs besides.

    Returns:
        A different label for each key: equal ones are numbered in the order given.
    """
    parts = [_parts(entry) for entry in entries]
    varies = [len(set(values)) > 1 for values in zip(*parts, strict=True)]
    order = (2, 0, 3, 4, 5, 1) if varies and varies[0] else (5, 4, 3, 2, 1, 0)  # of the parts
    labels = [
        SEPARATOR.join(own[k] for k in order if k == 0 or (varies[k] and own[k])) for own in parts
    ]
    count = Counter(labels)
    seen = Counter[str]()
    titles = {}
    for entry, label in zip(entries, labels, strict=True):
        seen[label] += 1
        number = f"{seen[label]} of {count[label]}{SEPARATOR}" if count[label] > 1 else ""
        titles[entry.key] = f"{number}{label}"
    return titles


def _parts(entry: OfAnyKind) -> tuple[str, ...]:
    """Name the pruning, points, checkpoint, data, columns and values read.

    A study and a recovery are named by their checkpoint first.
    """
    task = task_title(entry.task)
    brief = entry.model.replace(f", fine-tuned on {task}", "")
    model = entry.model if brief == entry.model else f"{task} {brief}"
    if isinstance(entry, Entry):
        read = columns_name(entry.columns), meanings_name(entry.label_map)
        return (
            _pruning(entry),
            points_name(entry.points),
            model,
            entry.data,
            *read,
        )
    if isinstance(entry, RecoveryEntry):
        pruning = in_sentence(brief_name(entry.pruning))
        model = f"{model}{SEPARATOR}{amount_name(entry.amount)}, {pruning}"
        if entry.pruning.controls and entry.pruning.seed:
            model += f", seed {entry.pruning.seed}"
        if entry.training.seed:
            model += f", training seed {entry.training.seed}"
    return model, "", "", entry.data, "", ""


def _pruning(entry: Entry) -> str:
    name = name_of(entry)
    if not entry.controls:
        return name
    seed = f"seed {entry.seed}"  # in which alone its draws differ
    bare = in_sentence(name).replace(f" ({seed})", "").replace(f", {seed})", ")")
    return f"{capitalised(seed)}: {bare}"
