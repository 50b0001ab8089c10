"""What may be typed, and what the answer says."""

import json
from dataclasses import asdict

import pytest

from core.errors import PrunescopeError
from core.findings.words.sentences import prediction_note, prediction_sentence
from core.request.catalog import MAX_LENGTH, TASKS
from core.results.prediction import MAX_CHARACTERS, Prediction, answer, check_texts, column_name, question
from tests.builders import make_result


def prediction(*second: float, **changes: int) -> Prediction:
    amounts = tuple(k / 10 for k in range(len(second)))
    rows = tuple((1 - p, p) for p in second)
    return Prediction(amounts, ("negative", "very_positive"), rows, **{"num_tokens": 9, "num_unknown": 0, **changes})


def test_texts_are_stripped_and_counted() -> None:
    assert check_texts([" a film \n"], TASKS["sst2"]) == ("a film",)
    assert check_texts(["x" * MAX_CHARACTERS], TASKS["sst2"])
    with pytest.raises(PrunescopeError, match="the second sentence is empty"):
        check_texts(["a film", "\t "], TASKS["rte"])
    with pytest.raises(PrunescopeError, match="2,001 characters: shorten it to at most 2,000"):
        check_texts(["x" * (MAX_CHARACTERS + 1)], TASKS["sst2"])
    with pytest.raises(PrunescopeError, match="number of texts 1: RTE reads 2"):
        check_texts(["a film"], TASKS["rte"])


def test_columns_have_names() -> None:
    assert [column_name(name) for name in ("sentence", "question2", "premise")] == [
        "sentence",
        "second question",
        "premise",
    ]


def test_the_question_names_the_pruning_of_the_result() -> None:
    result = make_result(method="random", scope="layer:2", seed=2, amounts=(0.0, 0.5))
    asked = question(result, ("a film",))
    given = prediction(0.9, 0.2)
    assert answer(json.loads(json.dumps(asdict(given)))) == given, "and the answer is read as it was given"
    assert asked == {
        "checkpoint": "embedded:sst2",
        "revision": f"{6:064x}",  # of a builder's model with six layers
        "task": "sst2",
        "method": "random",
        "scope": "layer:2",
        "seed": 2,
        "control_of": "magnitude",
        "amounts": [0.0, 0.5],
        "texts": ["a film"],
    }


def test_the_first_change_of_the_prediction_is_said_and_others_are_counted() -> None:
    assert prediction_sentence(prediction(0.9, 0.8)) == (
        "Unpruned, the model says “very positive” (0.90), and still does at 10 %, the last amount measured."
    )
    assert prediction_sentence(prediction(0.9, 0.4, 0.3, 0.7)) == (
        "Unpruned, the model says “very positive” (0.90); pruned, it says “negative” (0.60) from 10 % on, and changes "
        "1 more time."
    )


def test_unread_text_is_mentioned() -> None:
    assert prediction_note(prediction(0.5)) == ""
    assert f"has 200 tokens; the model reads the first {MAX_LENGTH}" in prediction_note(prediction(0.5, num_tokens=200))
    assert prediction_note(prediction(0.5, num_unknown=3)).endswith("read as [UNK]: 3 tokens.")
