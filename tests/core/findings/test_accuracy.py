"""How well the model does: hand-computed."""

from functools import partial

import numpy as np
import pytest

from core.findings.accuracy import (
    has_doubtful_range,
    label_doubt,
    metric_of,
    reference_of,
    smallest_drop,
)
from core.request.catalog import TASKS
from core.results.schema import SweepResult
from core.sweep.scores import SCORES
from tests.builders import make_result
from tests.core.findings.made import predicting, with_task, working_to


def test_a_metric_has_a_reference_and_one_that_is_lacking_is_replaced() -> None:
    result = make_result(num_layers=2, num_examples=400)

    assert reference_of(result, "accuracy") == ("commonest label", 0.5)
    assert reference_of(result, "f1") == (
        "always positive",
        pytest.approx(2 / 3),
    )
    assert metric_of(result, preferred="f1") == "accuracy", "which it lacks"


def of_examples(count: int) -> SweepResult:
    return make_result(num_examples=count, amounts=(0.0, 0.5), statistics=False)


def test_labels_are_put_in_the_order_that_fits_best() -> None:
    """A head with contradiction first: its 0 is the task's 2, its 1 the task's 0, its 2 the 1."""
    three = with_task(of_examples(90), label_names=TASKS["mnli"].label_names)

    doubt = label_doubt(predicting(three, [1, 2, 0] * 30, gold=[0, 1, 2] * 30))

    assert doubt == (0, 1, ("contradiction", "entailment", "neutral"))


def test_no_other_order_is_found_on_few_examples_or_by_guessing_the_commonest() -> None:
    few = of_examples(62)
    swapped = [1 - label for label in few.task.gold]
    one_sided = predicting(of_examples(90), [0] * 88 + [1] * 2, gold=[1] * 59 + [0] * 31)

    assert label_doubt(predicting(few, swapped)) is None
    assert label_doubt(one_sided) is None


GOLD = np.tile([0, 1], 100)
_random = np.random.default_rng(0)
UNPRUNED, WORKING, BROKEN = (
    np.where(_random.random(200) < share, 1 - GOLD, GOLD) for share in (0.1, 0.15, 0.45)
)
DROPPING = predicting(
    make_result(amounts=(0.0, 0.2, 0.4)),
    UNPRUNED.tolist(),
    WORKING.tolist(),
    BROKEN.tolist(),
    gold=GOLD.tolist(),
)


@pytest.mark.parametrize("metric", ["accuracy", "matthews_correlation", "f1"])
def test_the_smallest_drop_is_that_of_the_bootstrap_where_the_range_ends(
    metric: str,
) -> None:
    rows = np.random.default_rng(0).integers(200, size=(2_000, 200))  # (draws, n)
    score = partial(SCORES[metric], GOLD[rows])
    differences = score(WORKING[rows]) - score(UNPRUNED[rows])  # (draws,)
    shown = 2.8 * differences.std()

    # Where it ends with the unpruned model, the first amount counts.
    for to in (0.0, 0.2):
        ending = working_to(DROPPING, to, metric=metric)
        assert smallest_drop(ending) == pytest.approx(shown, rel=0.06)
    on_more = working_to(DROPPING, 0.2, metric=metric, examples=800, lead=0.4)
    assert smallest_drop(on_more) == pytest.approx(shown / 2, rel=0.06)
    assert has_doubtful_range(on_more) == (shown / 2 > 0.04)


def test_the_smallest_drop_of_accuracy_is_exact_and_there_is_none_without_a_range() -> None:
    changes = (WORKING == GOLD).astype(float) - (UNPRUNED == GOLD)  # whose mean the drop is
    exact = 2.8 * changes.std(ddof=1) / np.sqrt(200)
    without = working_to(DROPPING, None)

    assert smallest_drop(working_to(DROPPING, 0.2)) == pytest.approx(exact)
    assert smallest_drop(without) is None
    assert not has_doubtful_range(without)
