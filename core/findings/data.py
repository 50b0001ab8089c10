"""Say how the examples of a result were read, and which labels they hardly have (`words/data.jinja`)."""

from collections import Counter
from collections.abc import Sequence

from core.findings.words import render
from core.results.names import decimals
from core.results.schema import TaskRecord

FEW = 2  # evaluation examples of a label; with fewer it has no interval
MAX_NAMED = 6


def reading_note(task: TaskRecord) -> str:
    """Say which files, rows and columns were read; empty for GLUE and the written examples."""
    if not task.columns:
        return ""
    return render(
        "data",
        "reading",
        files=[
            render("data", "file", name=file.name, first=file.rows[0] + 1, last=file.rows[1])
            for file in task.files or ()
        ],
        columns=task.columns.text,
        label=task.columns.label,
        guessed=task.guessed or (),
        mapped=[render("data", "means", value=value, label=label) for value, label in (task.label_map or {}).items()],
    )


def download_note(split: str, sizes: Sequence[int], rows: int) -> str:
    """Say how much of a data set on the Hub is downloaded.

    Args:
        split: The split that is evaluated.
        sizes: From `core.inputs.hub_data.HubData.to_download`, at least one.
        rows: How many rows are read.
    """
    mib = [decimals(size / 2**20, 1) for size in (sizes[0], sum(sizes))]
    return render("data", "download", split=split, files=len(sizes), first=mib[0], all=mib[1], rows=f"{rows:,}")


def rare_labels_caution(task: TaskRecord) -> str:
    """Name the labels with hardly any evaluation example; empty if there are none."""
    counts = Counter(task.gold)
    rare = [name for index, name in enumerate(task.label_names) if counts[index] < FEW]
    if not rare:
        return ""
    return render("data", "rare_labels", names=rare[:MAX_NAMED], further=len(rare) - len(rare[:MAX_NAMED]))
