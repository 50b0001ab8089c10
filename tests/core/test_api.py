"""The two names that a notebook imports: what goes in, what comes out, and what stays as it was."""

import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score
from tiny import EMOTIONS, emotion_texts, make_pretrained
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification

from core import api
from core.api import load_result, sweep
from core.charts.overview import result_scene
from core.errors import PrunescopeError
from core.exports.notebook import NotebookResult
from core.exports.player_page import player_page
from core.precompute import compute, parse, request_of
from core.request.catalog import REDUCTIONS
from core.results import library
from core.results.digest import digest
from core.results.key import key_of
from core.results.schema import SweepResult
from tests.builders import make_result

NAMES = list(EMOTIONS)
TEXTS, LABELS = emotion_texts(120, seed=3)
NAMED = [NAMES[label] for label in LABELS]
AMOUNTS = [0, 0.5]


@pytest.fixture
def loaded(tiny_emotions: Path) -> tuple[Any, Any]:
    return AutoModelForSequenceClassification.from_pretrained(tiny_emotions), AutoTokenizer.from_pretrained(
        tiny_emotions
    )


@pytest.fixture(scope="module")
def result(tiny_emotions: Path) -> SweepResult:
    return sweep(tiny_emotions, TEXTS, NAMED, amounts=AMOUNTS)


def refusal(*arguments: Any, **options: Any) -> str:
    """The one line that refuses a sweep."""
    with pytest.raises(PrunescopeError) as caught:
        sweep(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def predicted(model: Any, tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """What transformers alone predicts."""
    with torch.inference_mode():
        return [int(model.eval()(**tokenizer(text, return_tensors="pt")).logits.argmax()) for text in texts]


def test_scores_are_scikit_learns_on_the_predictions_of_transformers(loaded: Any) -> None:
    assert api.__all__ == ["load_result", "sweep"]
    result = sweep(loaded, TEXTS, NAMED, amounts=AMOUNTS)
    places = result.task.examples
    assert len(places) == 60
    assert [LABELS[place] for place in places] == list(result.task.gold)
    answers = predicted(*loaded, [TEXTS[place] for place in places])
    assert list(result.frames[0].predictions) == answers
    assert 0.6 < accuracy_score(result.task.gold, answers) < 1
    assert result.frames[0].metrics["accuracy"] == accuracy_score(result.task.gold, answers)
    macro_f1 = f1_score(result.task.gold, answers, average="macro")
    assert result.frames[0].metrics["macro_f1"] == pytest.approx(macro_f1, abs=1e-12)
    assert result.key == key_of(result)


def test_it_is_the_result_of_the_command_line(tiny_emotions: Path, result: SweepResult, tmp_path: Path) -> None:
    pd.DataFrame({"text": TEXTS, "emotion": NAMED}).to_csv(tmp_path / "mine.csv", index=False)
    words = ["--checkpoint", str(tiny_emotions), "--data", str(tmp_path / "mine.csv"), "--amounts", "0,0.5"]
    expected = compute(request_of(parse(words)), None)
    assert (result.key, result.frames, result.statistics) == (expected.key, expected.frames, expected.statistics)


def test_a_loaded_model_is_measured_like_its_folder_and_left_as_it_was(loaded: Any, result: SweepResult) -> None:
    model, tokenizer = loaded
    model.train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = sweep((model, tokenizer), TEXTS, NAMED, amounts=AMOUNTS)
    assert found.frames == result.frames
    assert (found.checkpoint.id, found.checkpoint.source) == ("tiny-emotions", "folder")
    after = model.state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert model.training
    assert [parameter.requires_grad for parameter in model.parameters()] == [True] * len([*model.parameters()])


def test_layers_are_compared_with_another_checkpoint(tiny_emotions: Path, tmp_path: Path) -> None:
    found = sweep(tiny_emotions, TEXTS, NAMED, amounts=0.5, against=make_pretrained(tmp_path / "other"))
    assert (found.against.id, len(found.frames)) == ("other", 2)
    assert "against other" in repr(found)
    assert not set(found.to_frame()["measure"]) & {"cka"}, "no layer has its own"


def test_a_loaded_model_has_one_key_whatever_it_did_before(loaded: Any) -> None:
    model, tokenizer = loaded
    model.config.problem_type = None  # as in a model that never saw labels
    keys = [sweep(loaded, TEXTS, NAMED, amounts=[0]).key]
    model(
        **tokenizer(TEXTS[:2], padding=True, truncation=True, max_length=8, return_tensors="pt"),
        labels=torch.ones(2, dtype=int),
    )
    assert model.config.problem_type
    keys.append(sweep(loaded, TEXTS, NAMED, amounts=[0]).key)
    assert tokenizer(TEXTS[0])["input_ids"] != tokenizer(TEXTS[0], truncation=True, max_length=8)["input_ids"]
    with torch.no_grad():
        model.classifier.bias += 1
    keys.append(sweep(loaded, TEXTS, NAMED, amounts=[0]).key)
    assert keys[0] == keys[1] != keys[2]


def test_labels_are_matched_by_name_in_any_order_and_case(tiny_emotions: Path, result: SweepResult) -> None:
    order = np.random.default_rng(0).permutation(len(TEXTS))
    by_name = sweep(tiny_emotions, [TEXTS[k] for k in order], [NAMED[k].upper() for k in order], amounts=[0])
    assert [LABELS[order[place]] for place in by_name.task.examples] == list(by_name.task.gold)
    assert by_name.task.label_names == tuple(NAMES)
    texts = pd.Series(TEXTS, index=range(120, 0, -1))
    labels = pd.Series(NAMED, dtype="category")
    assert sweep(tiny_emotions, texts, labels, amounts=AMOUNTS).key == result.key, "series go together by place"


def test_numbers_take_a_map_unless_it_is_known_what_they_mean(
    tiny_emotions: Path, tiny_bert: Path, result: SweepResult
) -> None:
    assert refusal(tiny_emotions, TEXTS, LABELS) == (
        "sentences.jsonl, column 'label' says 0, 1, 2, 3, 4, 5, which is none of the labels Anger, fear, joy, love, "
        "sadness, surprise: say what each means, as in label_map={'0': 'LABEL'}; None leaves it out"
    )
    meanings = dict(enumerate(NAMES))
    assert sweep(tiny_emotions, TEXTS, np.array(LABELS), amounts=AMOUNTS, label_map=meanings).key == result.key
    without = sweep(tiny_emotions, TEXTS, np.array(LABELS), amounts=[0], label_map={**meanings, 3: None})
    assert {LABELS[place] for place in without.task.examples} == {0, 1, 2, 4, 5}
    by_number = sweep(tiny_bert, TEXTS, [label % 2 for label in LABELS], amounts=[0])  # LABEL_0, LABEL_1
    assert [LABELS[place] % 2 for place in by_number.task.examples] == list(by_number.task.gold)


def test_pairs_are_pairs(tiny_emotions: Path) -> None:
    both = list(zip(TEXTS, TEXTS[::-1], strict=True))
    record = sweep(tiny_emotions, both, NAMED, amounts=[0]).task
    pairs = [[TEXTS[place], TEXTS[119 - place]] for place in record.examples]
    assert record.fingerprint == digest({"task": "auto", "texts": pairs, "gold": list(record.gold)})
    assert sweep(tiny_emotions, pd.DataFrame(both).to_numpy(), NAMED, amounts=0).task == record


@pytest.mark.parametrize(
    ("sentences", "labels", "words"),
    [
        ("one text", ["joy"], "the sentences are one text: give a list of texts"),
        ([], [], "0 sentences and 0 labels: give one label for each sentence"),
        (TEXTS, NAMED[1:], "120 sentences and 119 labels"),
        ([*TEXTS[1:], " "], NAMED, "sentences[119] is ' ': give a text each, or a pair of texts each"),
        ([*TEXTS[1:], ("a", "b")], NAMED, "sentences[119] is ('a', 'b')"),
        ([("a", "b", "c")] * 120, NAMED, "sentences[0] is ('a', 'b', 'c')"),
        (TEXTS, [*NAMED[1:], None], "labels[119] is None: give the name or the number of a label"),
        (TEXTS, [*NAMED[1:], ""], "labels[119] is ''"),
        (TEXTS, np.eye(120), "labels[0] is array(["),
        (TEXTS, [*NAMED[1:], "boredom"], "says boredom, which is none of the labels Anger, fear, joy"),
        (TEXTS * 100, NAMED * 100, "12,000 sentences: give at most 10,000"),
        (["\ud83d", *TEXTS[1:]], NAMED, "a sentence holds half of a character"),
        (["x" * 180_000] * 120, NAMED, "sentences and labels take up 21 MiB: give at most 20, such as a sample"),
    ],
)
def test_sentences_and_labels_that_do_not_fit_are_refused(
    tiny_emotions: Path, sentences: Any, labels: Any, words: str
) -> None:
    assert words in refusal(tiny_emotions, sentences, labels)


class AcceptedError(Exception):
    """Instead of a sweep."""


REFUSED: dict[str, tuple[dict[str, Any], str]] = {  # options, and what the line says of them
    "a scope for units": ({"method": "attribution", "scope": "encoder"}, "a neuron method has no scope"),
    "a map from what is not there": ({"label_map": {"grief": "sadness"}}, "has no value 'grief'"),
    "too many examples": ({"examples": 121}, "121 examples: sentences.jsonl has only 120"),
    "half an example": ({"examples": 8.5}, "num_examples: Input should be a valid integer"),
    "examples in words": ({"examples": "all"}, "num_examples: Input should be a valid integer"),
    "endless examples": ({"examples": float("inf")}, "num_examples: Input should be a finite number"),
    "half a seed": ({"seed": 1.5}, "seed: Input should be a valid integer"),
    "a seed below 0": ({"seed": np.int64(-1)}, "seed -1 is outside 0 to"),
    "a meaning that is a number": ({"label_map": {0: 0}}, "label_map: Input should be a valid string, not"),
    "a map that is a number": ({"label_map": 5}, "label_map of type int: give a dict, such as {1: 'bad'"),
    "a map from nothing": ({"label_map": {None: "joy"}}, "a label in label_map is None: give the name or the number"),
    "a map from tensors": ({"label_map": {torch.arange(2): "joy"}}, "a label in label_map is tensor([0, 1])"),
    "no amounts": ({"amounts": None}, "amount 'None' is not a number: give fractions in [0, 1)"),
    "amounts in words": ({"amounts": "many"}, "amount 'many' is not a number"),
    "measures that are a number": ({"measures": 5}, "measures: Input should be a valid string, not"),
    "empty measures": ({"measures": []}, "measures none: cka must be among them"),
    "no points": ({"points": None}, "points: Input should be a valid string"),
    "a task that is a number": ({"task": 7}, "task: Input should be a valid string"),
    "no method": ({"method": None}, "unknown method 'None': choose one of magnitude"),
    "damage in words": ({"until_damage": "some"}, "until_damage: Input should be a valid number"),
    "a damage that is none": ({"until_damage": float("nan")}, "damage nan is outside (0, 1)"),
    "against a number": ({"against": 5}, "against: Input should be a valid string"),
    "against what is not there": ({"against": Path("/no/such folder")}, "'/no/such folder' is not a checkpoint"),
    "no model": ({"model": None}, "a NoneType is not a checkpoint"),
    "a model that ends early": ({"model": "tiny\0"}, "is not a checkpoint"),
    "no sentences": ({"sentences": None}, "sentences of type NoneType: give a list, one for each sentence"),
    "sentences of numbers": ({"sentences": np.zeros((120, 2))}, "sentences[0] is (np.float64(0.0)"),
    "no labels": ({"labels": None}, "labels of type NoneType: give a list, one for each sentence"),
    "labels that are missing": ({"labels": [pd.NA] * 120}, "labels[0] is <NA>: give the name or the number"),
    "endless labels": ({"labels": np.full(120, np.inf)}, "says inf, which is none of the labels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_of_any_kind_are_refused_in_one_line(
    tiny_emotions: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    options, words = REFUSED[name]
    monkeypatch.setattr(api, "run", None)  # no model is loaded
    given = {"model": tiny_emotions, "sentences": TEXTS, "labels": NAMED, **options}
    assert words in refusal(given.pop("model"), given.pop("sentences"), given.pop("labels"), **given)


@pytest.mark.parametrize(
    ("options", "field", "read"),
    [
        ({"examples": np.int64(8)}, "num_examples", 8),
        ({"examples": torch.tensor(8)}, "num_examples", 8),
        ({"seed": np.int64(3)}, "seed", 3),
        ({"until_damage": np.float32(0.5)}, "until_damage", 0.5),
        ({"amounts": np.float64(0.5)}, "amounts", (0.0, 0.5)),
        ({"amounts": torch.tensor([0.25, 0.5])}, "amounts", (0.0, 0.25, 0.5)),
        ({"amounts": (k / 4 for k in range(3))}, "amounts", (0.0, 0.25, 0.5)),
        ({"amounts": "0.5"}, "amounts", (0.0, 0.5)),
        ({"measures": np.array(["partial_cka", "cka"])}, "measures", ("cka", "partial_cka")),
        ({"measures": "cka"}, "measures", ("cka",)),
        ({"method": np.str_("wanda"), "scope": np.str_("layer:1")}, "method", "wanda"),
        ({"label_map": {np.str_("joy"): None}}, "label_map", (("joy", None),)),
    ],
)
def test_plain_values_of_other_libraries_serve(
    tiny_emotions: Path, monkeypatch: pytest.MonkeyPatch, options: Any, field: str, read: object
) -> None:
    def run(request: Any, inputs: Any) -> None:
        assert getattr(request, field) == read
        assert type(getattr(request, field)) is type(read)
        raise AcceptedError

    monkeypatch.setattr(api, "run", run)
    with pytest.raises(AcceptedError):
        sweep(tiny_emotions, TEXTS, NAMED, **options)


class Headed(BertForSequenceClassification):
    """A classifier that would lose what is its own in a folder."""


def test_a_model_that_a_folder_cannot_hold_is_refused(loaded: Any, tiny_emotions: Path) -> None:
    model, tokenizer = loaded
    assert (
        "a BertForSequenceClassification is not a checkpoint: give a name, a folder, or a loaded model with"
        in refusal(model, TEXTS, NAMED)
    )
    assert "give (model, tokenizer)" in refusal((tokenizer, model), TEXTS, NAMED)
    headed = Headed.from_pretrained(tiny_emotions)
    assert "is a Headed, which would be read as a BertForSequenceClassification" in refusal(
        (headed, tokenizer), TEXTS, NAMED
    )
    model.bert.adapter = torch.nn.Linear(2, 2)
    assert "has other weights than a plain BertForSequenceClassification (bert.adapter.bias, bert.adapter.weight)" in (
        refusal((model, tokenizer), TEXTS, NAMED)
    )
    model.config.problem_type = "regression"
    assert "'tiny-emotions' predicts a number" in refusal((model, tokenizer), TEXTS, NAMED)


def test_a_model_that_transformers_cannot_write_is_refused(loaded: Any) -> None:
    model, _ = loaded
    model.bert.pooler.to("meta")
    assert (
        "'tiny-emotions' cannot be written as a folder (Cannot copy out of meta tensor; no data!): load it again"
        in (refusal(loaded, TEXTS, NAMED))
    )
    model.bert.pooler = BertForSequenceClassification(model.config).bert.pooler
    model.config.further = object()
    assert "(Object of type object is not JSON serializable)" in refusal(loaded, TEXTS, NAMED)
    del model.config.further
    model.bert.encoder.layer[1] = model.bert.encoder.layer[0]
    assert "cannot be written as a folder (The weights trying to be saved contained shared tensors" in (
        refusal(loaded, TEXTS, NAMED)
    )


def test_a_saved_result_is_read_as_it_was_and_listed_by_the_app(
    result: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = result.save(tmp_path / "mine.json")
    again = load_result(str(path))
    assert again == result
    assert type(again) is type(result)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    kept = result.save()
    assert kept == tmp_path / "own" / f"{result.key}.json"
    assert [entry.key for entry in library.own()] == [result.key]
    (tmp_path / "a file").touch()
    with pytest.raises(PrunescopeError, match="choose another folder"):
        result.save(tmp_path / "a file" / "x.json")


def test_what_is_no_result_is_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(PrunescopeError, match=r"x\.json has schema version None"):
        load_result(tmp_path / "x.json")
    with pytest.raises(PrunescopeError, match="no result file"):
        load_result(tmp_path / "y.json")
    with pytest.raises(PrunescopeError, match="a NoneType is not a result file: give its path"):
        load_result(None)  # type: ignore[arg-type]


def test_a_result_shows_itself_as_the_player_in_a_frame_of_its_own(result: Any) -> None:
    shown = result._repr_html_()
    (page,) = re.findall(r'srcdoc="([^"]*)"', shown)
    script = page_script(html.unescape(page))
    scenes = {name: result_scene(result, name) for name in REDUCTIONS}
    assert html.unescape(page) == player_page(scenes["mean"], (result,), script, choices=scenes)
    assert 'sandbox="allow-scripts"' in shown, "what a result says cannot reach the notebook"
    assert len(repr(result)) < 200
    assert repr(result) == str(result)


def page_script(page: str) -> str:
    """Vega's script in a page, as `player_page` took it."""
    return page.partition('<script type="module">')[2].partition("</script>")[0].replace("<\\/script", "</script")


def test_the_table_holds_every_metric_and_every_points_own_similarity() -> None:
    result = make_result(num_layers=3, amounts=(0.0, 0.25, 0.5), holes=((0.5, 1, 1),))
    table = NotebookResult.of(result).to_frame()
    assert len(table) == 3 * (1 + 2 + 3 * 3 + 2 * 3), "accuracy, two of predictions, CKA and partial CKA"
    for frame in result.frames:
        rows = table[table["amount"] == frame.amount].set_index("measure")
        assert rows.loc["accuracy", "value"] == frame.metrics["accuracy"]
        assert (rows.loc["accuracy", "low"], rows.loc["accuracy", "high"]) == frame.intervals["accuracy"]
        assert set(rows["sparsity"]) == {frame.sparsity}
        assert set(rows["prunable_sparsity"]) == {frame.prunable_sparsity}
        for measure, reduction in (("cka", "mean"), ("cka", "tokens"), ("partial_cka", "cls")):
            own = rows.loc[measure].query("reduction == @reduction")
            assert tuple(own["point"]) == result.points
            expected = np.array(frame.own(reduction, measure), dtype=float)
            np.testing.assert_array_equal(own["value"], expected)
    statistics = result.statistics_of("mean")
    assert statistics is not None
    assert statistics.own is not None
    own = table.query("measure == 'cka' and reduction == 'mean'")
    bounds = [interval or (np.nan, np.nan) for intervals in statistics.own for interval in intervals]
    np.testing.assert_array_equal(own[["low", "high"]], np.array(bounds, dtype=float))
    deep = NotebookResult.of(make_result(num_layers=12, amounts=(0.0, 0.5)))
    own = deep.to_frame().query("measure == 'cka' and reduction == 'mean'")
    assert tuple(own.pivot(index="point", columns="amount", values="value").index) == deep.points, "sorted by depth"
