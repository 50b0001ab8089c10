"""The requests that train a model, and what a study of cuts decides before: depths and rows."""

from contextlib import suppress
from dataclasses import dataclass
from math import sqrt
from typing import Annotated, NamedTuple, Self

from core.errors import PrunescopeError
from core.request.limits import TABLE_SUFFIXES, kind_of_data, limits
from core.request.sweep_request import DataRequest, option

MOST_JUDGED, MOST_REFIT, MOST_STOP = 2_000, 2_048, 256  # rows
FEWEST_ROWS = 32  # to judge, and to train on
FEWEST_STOP = 16
STOP_SHARE = 5  # of the rows that judge nothing, one in so many stops early
DISAGREEMENT = 0.15  # of rows that a cut and the full model usually score differently
FULLY_STUDIED = 6  # layers up to which every depth is studied, else every second


@dataclass(frozen=True)
class TrainingRequest(DataRequest):
    """A checkpoint to train, rows that judge what becomes of it, and further rows to train on."""

    train: Annotated[
        str | None, option("a file of further rows that refit alone, labelled or not")
    ] = None

    @property
    def sources(self) -> tuple[str | None, ...]:
        """See `DataRequest`."""
        return self.data, self.train

    def filled(self) -> Self:
        """Fill in the defaults, or refuse; see `core.request.sweep_request.checked`."""
        check_train(self.train)
        return super().filled()


@dataclass(frozen=True)
class CutRequest(TrainingRequest):
    """Everything that decides a study's predictions."""

    num_examples: Annotated[
        int | None, option(f"rows to judge (default: up to {MOST_JUDGED:,})")
    ] = None
    every: Annotated[bool, option("study every depth, also above six layers")] = False
    op = "cut"


@dataclass(frozen=True)
class RecoveryRequest(TrainingRequest):
    """What trains a pruned model again: a stored result's rows, checkpoint and key."""

    key: Annotated[str, option("of the stored sweep or recovery")] = ""
    amount: Annotated[float | None, option("the fraction to remove")] = None
    op = "recover"


def check_train(train: str | None) -> None:
    """Refuse further rows that are in no file.

    Raises:
        PrunescopeError: They are in none.
    """
    with suppress(PrunescopeError):
        if train is None or kind_of_data(train) in ("file", "own"):
            return
    fault = f"train '{str(train)[-120:]}' is not a file here"
    raise PrunescopeError(f"{fault}: give one that ends in {', '.join(TABLE_SUFFIXES)}")


def depths_of(num_layers: int, every: bool) -> tuple[int, ...]:
    """Return how many of the lowest layers stay at each depth of a study, most first."""
    step = 1 if every or num_layers <= FULLY_STUDIED else 2
    return tuple(range(num_layers - step, 0, -step))


class Division(NamedTuple):
    """How many rows refit, decide when to stop, and judge; they are disjoint."""

    refit: int
    stop: int
    judged: int

    @property
    def width(self) -> float:
        """The half-width to expect of the 95 % interval of a difference of accuracy."""
        return 1.96 * sqrt(DISAGREEMENT / self.judged)


def divide(labelled: int, others: int, is_apart: bool, most: int | None = None) -> Division:
    """Divide rows.

    Half of the labelled rows judge, and more where others refit in their place; all do if the
    others come from a split or a file of their own.

    Args:
        labelled: Rows that can judge.
        others: Rows that can only refit.
        is_apart: Whether the others come from a split or a file of their own.
        most: The most rows to judge; None for as many as are allowed.

    Raises:
        PrunescopeError: They are too few.
    """
    free = labelled if is_apart else labelled - max(labelled // 2 - others, 0)
    judged = min(free, most or MOST_JUDGED, MOST_JUDGED, limits().examples)
    pool = others if is_apart else labelled - judged + others
    if min(judged, pool) < FEWEST_ROWS:
        raise PrunescopeError(
            f"{judged} labelled rows to judge and {pool} to refit, at least {FEWEST_ROWS} of each "
            "are needed: add rows, or choose other data"
        )
    stop = min(max(pool // STOP_SHARE, FEWEST_STOP), MOST_STOP)
    return Division(min(pool - stop, MOST_REFIT), stop, judged)
