"""Flips: what counts as one, which texts belong to an example, the filters."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from core.findings.sentences import (
    ALL,
    KINDS,
    LENGTHS,
    Example,
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
from core.results.schema import SweepResult
from tests.builders import make_result
from tests.core.findings.made import QUARTERS, predicting


def made() -> SweepResult:
    """Never flips, flips away, flips and comes back, flips to the gold label, never right; rows 0, 10, 20, …."""
    bare = make_result(amounts=QUARTERS, num_examples=5, statistics=False)
    frames = ((1, 1, 0, 1, 1), (1, 1, 1, 1, 1), (1, 0, 0, 1, 1), (1, 0, 1, 0, 1))
    result = predicting(bare, *frames, gold=(1, 1, 0, 0, 0))
    return result.model_copy(update={"task": result.task.model_copy(update={"examples": (0, 10, 20, 30, 40)})})


def test_a_flip_is_the_first_departure_from_the_unpruned_prediction() -> None:
    examples = examples_of(made())
    assert [example.flip for example in examples] == [None, 2, 1, 3, None]
    assert [example.returns for example in examples] == [False, False, True, False, False]
    assert [example.row for example in in_order_of_flips(examples)] == [20, 10, 0, 30, 40], "correct ones come first"


def test_spans_give_the_predictions_back() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        labels = tuple(random.integers(0, 3, size=random.integers(1, 12)).tolist())
        cut = spans(Example(0, 0, labels))
        assert tuple(label for span in cut for label in [span.label] * (span.end - span.first)) == labels
        assert all(a.label != b.label for a, b in pairwise(cut))


# ---------------------------------------------------------------- texts


def test_texts_of_another_content_are_none_at_all() -> None:
    subset = open_preset(TASKS["qnli"], "written").subset(40)
    known = subset.record()
    assert texts_of(known) == subset.texts
    for change in ({"fingerprint": "0" * 64}, {"examples": (10_000, *known.examples[1:])}, {"name": "unheard-of"}):
        assert texts_of(known.model_copy(update=change)) is None


def test_texts_that_this_computer_has_drawn_are_remembered_and_searched_again_once_one_has_changed(
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
    for content in (json.dumps(stored), "{"):
        remembered.write_text(content)
        assert texts_of(subset.record()) is None, "not what the result was computed on"
    task = make_result(num_examples=20).task.model_copy(update={"source": "hub", "fingerprint": "a" * 64})
    with monkeypatch.context() as patch:
        assert texts_of(task) is None
        patch.setattr("core.inputs.texts.remembered_samples", None)
        assert texts_of(task) is None
    sample_cache.remember("key", Sample((1, 2), (("a",), ("b",)), (0, 1)))
    assert texts_of(task) is None


def test_texts_of_a_file_are_found_and_those_of_an_upload_only_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    rows = "text,label\n" + "".join(f"sentence {k},{k % 2}\n" for k in range(12))
    for hosted in ("", "1"):
        monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
        rows += "one more,1\n"
        request = SweepRequest("embedded:sst2", "sst2", data=keep("a.csv", rows.encode()))
        subset = open_examples(checked(request), ()).subset(4)
        assert texts_of(subset.record()) == (None if hosted else subset.texts)


# ---------------------------------------------------------------- filters


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [0, 10, 20, 30, 40]),
        ({"flips": "flips"}, [10, 20, 30]),
        ({"flips": "never"}, [0, 40]),
        ({"flips": "right"}, [10, 20]),
        ({"flips": "wrong"}, [30]),
        ({"flips": "returns"}, [20]),
        ({"flips": "0.6"}, [10]),
        ({"label": "positive"}, [0, 10]),
        ({"label": "negative", "flips": "flips"}, [20, 30]),
        ({"label": "positive", "flips": "wrong"}, []),
    ],
)
def test_filters_by_flip_and_label_and_how_many_they_keep(filters: dict[str, str], expected: list[int]) -> None:
    result = made()
    assert [example.row for example in selected(result, examples_of(result), **filters)] == expected
    choices = flip_choices(result, examples_of(result))
    assert list(choices) == [*KINDS, "0.3", "0.6", "0.9"]
    if list(filters) == ["flips"]:
        assert choices[filters["flips"]].endswith(f"({len(expected)})")


def test_lengths_are_thirds_of_the_examples() -> None:
    examples = [Example(k, 0, (0,), ("word " * (k + 1),)) for k in range(9)]
    assert list(length_choices(examples).values()) == ["Any", "Up to 3 words", "4 to 6 words", "More than 6 words"]
    kept = [[one.row for one in selected(made(), examples, length=length)] for length in (*LENGTHS, ALL)]
    assert kept == [[0, 1, 2], [3, 4, 5], [6, 7, 8], list(range(9))]
    assert length_choices([Example(0, 0, (0,))]) == {}, "no texts, no lengths"
