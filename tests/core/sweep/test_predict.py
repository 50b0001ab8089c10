"""Predictions of a typed text: the model's own, at every amount, and the model as it was afterwards."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from tiny import loaded, make_bert
from torch.nn.utils import prune

from core.encoder.architectures import encoder_layers, linear_layers
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.request.catalog import MAX_LENGTH, METHODS, TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.prediction import MAX_CHARACTERS, Prediction
from core.sweep.predict import predict

TEXT = "a slow film but the music is bright ."
AMOUNTS = (0.0, 0.3, 0.6)


def request(folder: Path, **changes: object) -> SweepRequest:
    asked = {
        "method": "magnitude",
        "scope": "encoder",
        "amounts": AMOUNTS,
        "data": "written",
        "task": "sst2",
        **changes,
    }
    return checked(SweepRequest(str(folder), **asked))  # type: ignore[arg-type]


def predicted(folder: Path, *texts: str, **changes: object) -> Prediction:
    return predict(request(folder, **changes), revision(folder), texts, lambda stage, done, total: None)


def revision(folder: Path) -> str:
    return resolve(str(folder)).revision


def direct(model: torch.nn.Module, tokenizer: object, *texts: str) -> tuple[float, ...]:
    with torch.no_grad():
        encoded = tokenizer(*texts, return_tensors="pt", truncation=True, max_length=MAX_LENGTH)  # type: ignore[operator]
        return tuple(model(**encoded).logits.softmax(-1)[0].tolist())


def test_the_probabilities_are_those_of_the_model_pruned_by_torch(tiny_bert: Path) -> None:
    found = predicted(tiny_bert, f"  {TEXT}\n")
    assert found.amounts == AMOUNTS
    assert found.labels == TASKS["sst2"].label_names
    assert found.num_tokens == len(TEXT.split()) + 2
    assert found.num_unknown == 0
    checkpoint = loaded(resolve(str(tiny_bert)))
    before = {name: values.clone() for name, values in checkpoint.model.state_dict().items()}
    assert found.probabilities[0] == pytest.approx(direct(checkpoint.model, checkpoint.tokenizer, TEXT))
    for row in found.probabilities:
        assert sum(row) == pytest.approx(1)
    assert found.probabilities[0] != pytest.approx(found.probabilities[2], abs=1e-3), "pruning has an effect"

    matrices = [(m, "weight") for layer in encoder_layers(checkpoint.model) for m in linear_layers(layer)]
    prune.global_unstructured(matrices, prune.L1Unstructured, amount=0.6)
    expected = direct(checkpoint.model, checkpoint.tokenizer, TEXT)
    for module, name in matrices:
        prune.remove(module, name)
    checkpoint.model.load_state_dict(before)
    assert found.probabilities[2] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_and_leaves_the_model_as_it_was(method: str, tiny_bert: Path) -> None:
    with borrow(resolve(str(tiny_bert))) as checkpoint:
        before = {name: values.clone() for name, values in checkpoint.model.state_dict().items()}
    scope = "encoder" if METHODS[method].granularity == "weight" else None
    found = predicted(tiny_bert, TEXT, method=method, scope=scope)
    assert len(found.probabilities) == len(AMOUNTS)
    with borrow(resolve(str(tiny_bert))) as again:
        assert again is checkpoint, "what was pruned, or this proves nothing"
        assert found.probabilities[0] == pytest.approx(direct(again.model, again.tokenizer, TEXT))
        for name, values in again.model.state_dict().items():
            assert torch.equal(values, before[name]), name


def test_a_pair_is_read_as_a_pair(tiny_bert: Path) -> None:
    one, other = "is the film good ?", "the film is bad ."
    checkpoint = loaded(resolve(str(tiny_bert)))
    found = predicted(tiny_bert, one, other, task="qnli")
    assert found.probabilities[0] == pytest.approx(direct(checkpoint.model, checkpoint.tokenizer, one, other))
    assert found.num_tokens == len(f"{one} {other}".split()) + 3
    assert found.probabilities[0] != pytest.approx(predicted(tiny_bert, other, one, task="qnli").probabilities[0])


def test_tokens_beyond_the_limit_are_counted_and_not_read(tiny_bert: Path) -> None:
    long = " ".join(["bright"] * 126)
    whole, longer = predicted(tiny_bert, long), predicted(tiny_bert, f"{long} bad bad bad")
    assert (whole.num_tokens, longer.num_tokens) == (MAX_LENGTH, MAX_LENGTH + 3)
    assert longer.probabilities == whole.probabilities


def test_unknown_words_are_counted(tiny_bert: Path) -> None:
    assert predicted(tiny_bert, "the film ☃ ☃ is bad").num_unknown == 2


@pytest.mark.parametrize(
    ("texts", "changes", "message"),
    [
        ((" ",), {}, "is empty"),
        (("x" * (MAX_CHARACTERS + 1),), {}, "characters"),
        ((TEXT, TEXT), {}, "number of texts 2: SST-2 reads 1"),
        ((TEXT,), {"scope": "layer:9"}, "has 2 layers"),
        ((TEXT, TEXT), {"task": "rte", "data": "written"}, "no written examples"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(
    texts: tuple[str, ...], changes: dict[str, object], message: str, tiny_bert: Path
) -> None:
    with pytest.raises(PrunescopeError, match=message):
        predicted(tiny_bert, *texts, **changes)


def test_another_content_than_the_results_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    other = make_bert(tmp_path / "tiny-bert", seed=1)
    with pytest.raises(PrunescopeError, match=r"'tiny-bert' has the content .{12}, but the result was computed on "):
        predict(request(other), revision(tiny_bert), [TEXT], lambda *progress: None)


def test_probabilities_of_logits_that_are_not_finite_are_refused(tiny_bert: Path) -> None:
    with borrow(resolve(str(tiny_bert))) as checkpoint:
        weight = checkpoint.model.bert.encoder.layer[1].output.dense.weight  # type: ignore[union-attr, operator]
        before = weight.detach().clone()
    weight.data.mul_(1e38)  # of the model that stays loaded
    with pytest.raises(PrunescopeError, match="'tiny-bert' computes numbers that are not finite"):
        predicted(tiny_bert, TEXT)
    weight.data.copy_(before)
    assert predicted(tiny_bert, TEXT).probabilities


def test_it_reports_every_amount_and_a_cancel_leaves_the_model_whole(tiny_bert: Path) -> None:
    told: list[tuple[str, int, int]] = []
    predict(request(tiny_bert, method="wanda"), revision(tiny_bert), [TEXT], lambda *one: told.append(one))
    assert told[0][0] == "Scoring on calibration examples"
    assert [one for one in told if one[0].endswith("removed")] == [
        ("0 % removed", 0, 3),
        ("30 % removed", 1, 3),
        ("60 % removed", 2, 3),
    ]

    def cancel(stage: str, done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    before = predicted(tiny_bert, TEXT)
    with pytest.raises(KeyboardInterrupt):
        predict(request(tiny_bert), revision(tiny_bert), [TEXT], cancel)
    assert predicted(tiny_bert, TEXT) == before


def test_the_worker_answers_in_plain_values(tiny_bert: Path) -> None:
    import json

    from core.worker import ANSWERS

    asked = request(tiny_bert)
    order = {"job": "a", "op": "predict", "revision": revision(tiny_bert), "texts": [TEXT], **asked.to_json()}
    outcome = ANSWERS["predict"](order, lambda *one: None)  # type: ignore[arg-type]
    assert json.loads(json.dumps(outcome, allow_nan=False)) == json.loads(
        json.dumps(asdict(predicted(tiny_bert, TEXT)))
    )
