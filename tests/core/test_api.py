"""A notebook's functions: their input, their results, and what they leave unchanged."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import EMOTIONS, emotion_texts, left_whole, write_csv
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core import api
from core.api import load_result, recover, sweep
from core.exports.notebook import NotebookResult
from core.precompute import find, run
from core.results import library
from core.results.key import digest
from tests.builders import make_result
from tests.commands import asked
from tests.refusals import refusal

NAMES = list(EMOTIONS)
TEXTS, LABELS = emotion_texts(120, seed=3)
NAMED = [NAMES[label] for label in LABELS]
AMOUNTS = [0, 0.5]
Pair = tuple[Any, Any]


@pytest.fixture
def loaded(tiny_emotions: Path) -> Pair:
    model = AutoModelForSequenceClassification.from_pretrained(tiny_emotions)
    return model, AutoTokenizer.from_pretrained(tiny_emotions)


@pytest.fixture(scope="module")
def result(tiny_emotions: Path) -> NotebookResult:
    return sweep(tiny_emotions, TEXTS, NAMED, amounts=AMOUNTS)


def refused(model: Any, sentences: Any = TEXTS, labels: Any = NAMED, **options: Any) -> str:
    return refusal(sweep, model, sentences, labels, **options)


# ---------------------------------------------------------------- results


def test_a_folder_gives_the_command_lines_result(
    tiny_emotions: Path, result: NotebookResult, tmp_path: Path
) -> None:
    data = write_csv(tmp_path / "mine.csv", text=TEXTS, emotion=NAMED)

    expected = run(find(asked(f"--checkpoint {tiny_emotions} --data {data} --amounts 0,0.5")))

    assert result.key == expected.key
    assert result.frames == expected.frames
    assert result.statistics == expected.statistics


def test_a_result_is_trained_again_on_the_sentences_that_it_left(
    tiny_emotions: Path, result: NotebookResult
) -> None:
    recovery = recover(result, 0.5, tiny_emotions, steps=2)

    assert recovery.frames[0].metrics == result.frames[-1].metrics
    assert recovery.rows.refit == 60
    assert [frame.step for frame in recovery.unpruned] == [0, 2]


def test_a_loaded_model_is_measured_like_its_folder_and_left_as_it_was(
    loaded: Pair, result: NotebookResult
) -> None:
    model, _ = loaded
    model.train()

    with left_whole(model):
        own = sweep(loaded, TEXTS, NAMED, amounts=AMOUNTS)

    assert own.frames == result.frames
    assert own.checkpoint.id == "tiny-emotions"
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_loaded_model_is_known_by_its_weights(loaded: Pair) -> None:
    model, tokenizer = loaded
    before = sweep(loaded, TEXTS, NAMED, amounts=0)

    # Its use leaves traces in configuration and tokenizer.
    batch = tokenizer(
        TEXTS[:2],
        padding=True,
        truncation=True,
        max_length=8,
        return_tensors="pt",
    )
    model(**batch, labels=torch.ones(2, dtype=int))
    assert sweep(loaded, TEXTS, NAMED, amounts=0).key == before.key

    with torch.no_grad():
        model.classifier.bias += 1
    assert sweep(loaded, TEXTS, NAMED, amounts=0).key != before.key


def test_series_go_together_by_place_and_numbers_by_a_map(
    tiny_emotions: Path, result: NotebookResult
) -> None:
    texts = pd.Series(TEXTS, index=range(120, 0, -1))
    names = pd.Series(NAMED, dtype="category")
    assert sweep(tiny_emotions, texts, names, amounts=AMOUNTS).key == result.key

    meanings = dict(enumerate(NAMES))
    numbered = sweep(
        tiny_emotions,
        TEXTS,
        np.array(LABELS),
        amounts=AMOUNTS,
        label_map=meanings,
    )
    assert numbered.key == result.key


def test_pairs_of_sentences_are_read_from_an_array(tiny_emotions: Path) -> None:
    pairs = list(zip(TEXTS, TEXTS[::-1], strict=True))

    task = sweep(tiny_emotions, pd.DataFrame(pairs).to_numpy(), NAMED, amounts=0).task

    texts = [list(pairs[place]) for place in task.examples]
    content = {"task": "auto", "texts": texts, "gold": list(task.gold)}
    assert task.fingerprint == digest(content)


# ---------------------------------------------------------------- input


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"labels": NAMED[1:]}, "120 sentences and 119 labels"),
    (
        {"sentences": ["", *TEXTS[1:]]},
        "sentences[0] is (empty): give a text each",
    ),
    (
        {"sentences": TEXTS * 100, "labels": NAMED * 100},
        "12,000 sentences and 12,000 labels: give a list of at most",
    ),
    (
        {"labels": [*NAMED[1:], None]},
        "labels[119] is None: give the name or the number of a label",
    ),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_bad_input(
    tiny_emotions: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setattr(api, "run", None)  # no model is loaded
    assert words in refused(**{"model": tiny_emotions, **given})


def test_a_model_without_its_tokenizer_is_refused(loaded: Pair) -> None:
    model, tokenizer = loaded
    assert "is not a checkpoint: give a name, a folder, or" in refused(model)
    assert "give (model, tokenizer)" in refused((tokenizer, model))


def test_a_model_that_a_folder_cannot_hold_is_refused(loaded: Pair) -> None:
    model, _ = loaded
    model.config.further = object()
    assert "cannot be written as a folder (Object of type object" in refused(loaded)
    del model.config.further

    model.bert.adapter = torch.nn.Linear(2, 2)
    assert "BertForSequenceClassification, which it is not (bert.adapter.bias" in refused(loaded)

    model.config.problem_type = "regression"
    assert "'tiny-emotions' gives no single label" in refused(loaded)


# ---------------------------------------------------------------- a result in a notebook


def test_a_saved_result_is_read_again_and_listed(
    result: NotebookResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = load_result(str(result.save(tmp_path / "mine.json")))
    assert again == result
    assert isinstance(again, NotebookResult)

    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    assert result.save() == tmp_path / "own" / f"{result.key}.json"
    assert [entry.key for entry in library.own(library.Entry)] == [result.key]


def test_the_table_holds_every_metric_and_every_points_own_similarity() -> None:
    result = make_result(num_layers=12, amounts=(0.0, 0.25, 0.5), holes=((0.5, 1, 1),))

    table = NotebookResult.of(result).to_frame()

    assert len(table) == 3 * (1 + 1 + 3 * 12), "accuracy, changed predictions and CKA"
    own = table.query("amount == 0.5 and measure == 'cka' and reduction == 'mean'")
    assert [*own["point"]] == [f"Layer {k}, attention block" for k in range(1, 13)]
    expected = np.array(result.frames[-1].own("mean"), dtype=float)
    np.testing.assert_array_equal(own["value"], expected)
