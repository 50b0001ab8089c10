"""Flips: what counts as one, which texts belong to an example, the filters, the words."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.findings.sentences import (
    ALL,
    KINDS,
    LENGTHS,
    Example,
    Flips,
    count_flips,
    examples_of,
    flip_choices,
    in_order_of_flips,
    length_choices,
    selected,
    spans,
)
from core.inputs import sample_cache
from core.inputs.examples import open_examples, open_preset
from core.inputs.sampling import Sample
from core.inputs.texts import texts_of
from core.inputs.uploads import keep
from core.request.catalog import TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult, TaskRecord
from tests.builders import make_result

AMOUNTS = (0.0, 0.3, 0.6, 0.9)
# gold, predictions: never flips, flips away, flips and comes back, flips to the gold label, never right
PREDICTIONS = (
    (1, (1, 1, 1, 1)),
    (1, (1, 1, 0, 0)),
    (0, (0, 1, 0, 1)),
    (0, (1, 1, 1, 0)),
    (0, (1, 1, 1, 1)),
)


def made(predictions: tuple[tuple[int, tuple[int, ...]], ...] = PREDICTIONS) -> SweepResult:
    """A result with these gold labels and predictions, row numbers 0, 10, 20, …."""
    result = make_result(amounts=AMOUNTS, num_examples=len(predictions), statistics=False)
    frames = tuple(
        frame.model_copy(update={"predictions": tuple(row[k] for _, row in predictions)})
        for k, frame in enumerate(result.frames)
    )
    task = result.task.model_copy(
        update={
            "gold": tuple(gold for gold, _ in predictions),
            "examples": tuple(10 * k for k in range(len(predictions))),
        }
    )
    return result.model_copy(update={"frames": frames, "task": task})


def record(task_name: str) -> TaskRecord:
    return open_preset(TASKS[task_name], "written").subset(None).record()


def test_a_flip_is_the_first_departure_from_the_unpruned_prediction() -> None:
    examples = examples_of(made())
    assert [example.flip for example in examples] == [None, 2, 1, 3, None]
    assert [example.is_correct_unpruned for example in examples] == [True, True, True, False, False]
    assert [example.returns for example in examples] == [False, False, True, False, False]
    assert [example.row for example in examples] == [0, 10, 20, 30, 40]


def test_spans_give_the_predictions_back() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        labels = tuple(random.integers(0, 3, size=random.integers(1, 12)).tolist())
        cut = spans(Example(0, 0, labels))
        assert tuple(label for span in cut for label in [span.label] * (span.end - span.first)) == labels
        assert all(a.label != b.label for a, b in pairwise(cut))


def test_right_ones_come_first_and_in_both_groups_the_earliest_flip() -> None:
    assert [example.row for example in in_order_of_flips(examples_of(made()))] == [20, 10, 0, 30, 40]


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize("task", ["sst2", "qnli"])
def test_the_written_texts_are_those_that_were_evaluated(task: str) -> None:
    subset = open_preset(TASKS[task], "written").subset(40)
    assert texts_of(subset.record()) == subset.texts


def test_samples_are_searched_again_only_once_one_has_changed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    searched: list[bool] = []

    def samples() -> Iterator[Sample]:
        searched.append(True)
        return sample_cache.remembered_samples()

    monkeypatch.setattr("core.inputs.texts.remembered_samples", samples)
    task = make_result(num_examples=20).task.model_copy(update={"source": "hub", "fingerprint": "a" * 64})
    assert texts_of(task) is texts_of(task) is None
    assert len(searched) == 1
    sample_cache.remember("key", Sample((1, 2), (("a",), ("b",)), (0, 1)))
    assert texts_of(task) is None
    assert len(searched) == 2


def test_texts_of_another_content_are_none_at_all() -> None:
    known = record("sst2")
    assert texts_of(known)
    assert texts_of(known.model_copy(update={"fingerprint": "0" * 64})) is None
    assert texts_of(known.model_copy(update={"examples": (10_000, *known.examples[1:])})) is None
    assert texts_of(known.model_copy(update={"name": "never-heard-of"})) is None


def test_texts_that_this_computer_has_drawn_are_remembered(
    glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    subset = open_preset(TASKS["mrpc"], str(glue_folder)).subset(40)
    assert texts_of(subset.record()) == subset.texts
    with monkeypatch.context() as patch:
        patch.setattr(sample_cache, "_read", None)
        assert texts_of(subset.record()) == subset.texts, "it is read once"
    (remembered,) = (tmp_path / "prunescope" / "subsets").iterdir()
    stored = json.loads(remembered.read_text())
    stored["examples"][1][0][0] += "!"
    remembered.write_text(json.dumps(stored))
    assert texts_of(subset.record()) is None, "not what the result was computed on"
    remembered.write_text("{")
    assert texts_of(subset.record()) is None


def test_texts_of_a_file_are_found_and_those_of_an_upload_only_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = "text,label\n" + "".join(f"sentence {k},{k % 2}\n" for k in range(12))
    subset = open_examples(
        checked(SweepRequest("embedded:sst2", "sst2", data=keep("a.csv", rows.encode()))), ()
    ).subset(4)
    assert texts_of(subset.record()) == subset.texts
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    private = keep("b.csv", (rows + "one more,1\n").encode())
    hidden = open_examples(checked(SweepRequest("embedded:sst2", "sst2", data=private)), ()).subset(5)
    assert texts_of(hidden.record()) is None


# ---------------------------------------------------------------- filters


def rows(result: SweepResult, **filters: str) -> list[int]:
    return [example.row for example in selected(result, examples_of(result), **filters)]


def test_filters_by_flip_and_label() -> None:
    result = made()
    expected = {ALL: [0, 10, 20, 30, 40], "flips": [10, 20, 30], "never": [0, 40], "right": [10, 20], "wrong": [30]}
    assert {name: rows(result, flips=name) for name in expected} == expected
    assert rows(result, flips="returns") == [20]
    assert rows(result, flips="0.6") == [10]
    assert rows(result, label="positive") == [0, 10]
    assert rows(result, label="negative", flips="flips") == [20, 30]
    assert rows(result, label="positive", flips="wrong") == []


def test_choices_tell_how_many_examples_they_keep() -> None:
    result = made()
    choices = flip_choices(result, examples_of(result))
    assert list(choices) == [*KINDS, "0.3", "0.6", "0.9"]
    for name, title in choices.items():
        assert title.endswith(f"({len(rows(result, flips=name))})")


def test_lengths_are_thirds_of_the_examples() -> None:
    examples = [Example(k, 0, (0,), ("word " * (k + 1),)) for k in range(9)]
    result = made()
    names = length_choices(examples)
    assert names == {
        ALL: "Any",
        "short": "Up to 3 words",
        "medium": "4 to 6 words",
        "long": "More than 6 words",
    }
    kept = [[one.row for one in selected(result, examples, length=length)] for length in LENGTHS]
    assert kept == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert length_choices([Example(0, 0, (0,))]) == {}, "no texts, no lengths"


# ---------------------------------------------------------------- all of them


def test_flips_are_counted_and_the_last_prediction_is_named() -> None:
    result = made()
    assert count_flips(result, examples_of(result)) == Flips(5, 3, 3, 0.3, 0.6, 1, "positive", 3)
    stays = made(((1, (1,) * 4), (0, (1,) * 4)))
    assert count_flips(stays, examples_of(stays)) == Flips(2, 1, 0, None, None, 0, "positive", 2)
