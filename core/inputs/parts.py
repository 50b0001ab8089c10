"""What every kind of data gives: a split, its files, and its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from core.inputs.tables import DataFile, Table

DataSource = Literal["hub", "folder", "written", "file"]
TRAINING = "train"  # the split to score on


@dataclass(frozen=True)
class Part:
    """One split.

    Attributes:
        name: The split's name in a result.
        files: Its files; none for the written examples.
        read: Reads its rows.
    """

    name: str
    files: tuple[DataFile, ...]
    read: Callable[[], Table]
