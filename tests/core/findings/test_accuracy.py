"""How well the model does: hand-computed."""

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
from core.sweep.working_range import change
from tests.builders import make_result
from tests.core.findings.made import predicting
from tests.core.findings.made import working_to as ending


def test_a_metric_has_a_reference_and_one_that_is_lacking_is_replaced() -> None:
    result = make_result(num_layers=2, num_examples=400)
    assert reference_of(result, "accuracy") == ("commonest label", 0.5)
    assert reference_of(result, "f1") == ("always positive", pytest.approx(2 / 3))
    assert metric_of(result, preferred="f1") == "accuracy", "which it lacks"


def test_labels_are_put_in_the_order_that_fits_best_and_not_on_few_examples() -> None:
    """A head with contradiction first: its 0 means the task's 2, its 1 the task's 0, its 2 the task's 1."""
    made, gold = make_result(num_examples=90, amounts=(0.0, 0.5), statistics=False), [0, 1, 2] * 30
    three = made.model_copy(
        update={"task": made.task.model_copy(update={"label_names": TASKS["mnli"].label_names})}
    )
    found = label_doubt(predicting(three, [{0: 1, 1: 2, 2: 0}[label] for label in gold], gold=gold))
    assert found == (0, 1, ("contradiction", "entailment", "neutral"))
    few = make_result(num_examples=62, amounts=(0.0, 0.5), statistics=False)
    assert label_doubt(predicting(few, [1 - label for label in few.task.gold])) is None, (
        "too few for an order"
    )
    one_sided = predicting(made, [0] * 88 + [1] * 2, gold=[1] * 59 + [0] * 31)
    assert label_doubt(one_sided) is None, "in another order, it would always guess the commonest"


@pytest.mark.parametrize("metric", ["accuracy", "matthews_correlation", "f1"])
def test_the_smallest_drop_is_that_of_the_bootstrap_where_the_range_ends(metric: str) -> None:
    random, gold = np.random.default_rng(0), np.tile([0, 1], 100)
    unpruned, working, broken = (
        np.where(random.random(200) < share, 1 - gold, gold) for share in (0.1, 0.15, 0.45)
    )
    rows = (row.tolist() for row in (unpruned, working, broken))
    result = predicting(make_result(amounts=(0.0, 0.2, 0.4)), *rows, gold=gold.tolist())
    *_, error = change(metric, gold, unpruned, working)
    for to in (0.0, 0.2):  # where it ends with the unpruned model, the first amount counts
        assert smallest_drop(ending(result, to, metric=metric)) == pytest.approx(
            2.8 * error, rel=0.06
        )
    if metric == "accuracy":
        changes = (working == gold).astype(float) - (unpruned == gold)  # whose mean the drop is
        assert smallest_drop(ending(result, 0.2)) == pytest.approx(
            2.8 * changes.std(ddof=1) / np.sqrt(200)
        )
    on_more = ending(result, 0.2, metric=metric, examples=800, lead=0.4)
    assert smallest_drop(on_more) == pytest.approx(2.8 * error / 2, rel=0.06)
    assert has_doubtful_range(on_more) == (2.8 * error / 2 > 0.04)
    assert (smallest_drop(ending(result, None)), has_doubtful_range(ending(result, None))) == (
        None,
        False,
    )
