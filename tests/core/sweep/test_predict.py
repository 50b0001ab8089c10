"""Predictions of a typed text at every amount, and what is refused."""

import json
from dataclasses import asdict
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from tiny import loaded, make_bert
from torch.nn.utils import prune

from core.encoder.architectures import encoder_layers, linear_layers
from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.request.catalog import MAX_LENGTH, TASKS
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.prediction import Prediction
from core.sweep.meter import predict, silent
from core.worker import ANSWERS
from tests.refusals import refusal

TEXT = "a slow film but the music is bright ."
AMOUNTS = (0.0, 0.3, 0.6)


def request(folder: Path, method: str = "magnitude", **changes: object) -> SweepRequest:
    fields = {"method": method, "scope": usual_scope(method), "amounts": AMOUNTS, "data": "written", **changes}
    return checked(SweepRequest(str(folder), "sst2", **fields))  # type: ignore[arg-type]


def predicted(folder: Path, *texts: str, **changes: object) -> Prediction:
    return predict(request(folder, **changes), resolve(str(folder)).revision, texts, silent)


def direct(model: torch.nn.Module, tokenizer: object, *texts: str) -> tuple[float, ...]:
    with torch.no_grad():
        encoded = tokenizer(*texts, return_tensors="pt", truncation=True, max_length=MAX_LENGTH)  # type: ignore[operator]
        return tuple(model(**encoded).logits.softmax(-1)[0].tolist())


def test_probabilities_are_those_of_a_model_pruned_by_torch(tiny_bert: Path) -> None:
    prediction = predicted(tiny_bert, f"  {TEXT} ☃\n")
    assert (prediction.amounts, prediction.labels) == (AMOUNTS, TASKS["sst2"].label_names)
    assert (prediction.num_tokens, prediction.num_unknown) == (len(TEXT.split()) + 3, 1)
    checkpoint = loaded(resolve(str(tiny_bert)))
    unpruned = direct(checkpoint.model, checkpoint.tokenizer, f"{TEXT} ☃")
    matrices = [(m, "weight") for layer in encoder_layers(checkpoint.model) for m in linear_layers(layer)]
    prune.global_unstructured(matrices, prune.L1Unstructured, amount=0.6)
    pruned = direct(checkpoint.model, checkpoint.tokenizer, f"{TEXT} ☃")
    assert prediction.probabilities[0] == pytest.approx(unpruned)
    assert prediction.probabilities[2] == pytest.approx(pruned, abs=1e-5)
    assert unpruned != pytest.approx(pruned, abs=1e-3), "pruning has an effect"


def test_tokens_beyond_the_limit_are_counted_but_not_read(tiny_bert: Path) -> None:
    long = " ".join(["bright"] * 126)
    longest, longer = predicted(tiny_bert, long), predicted(tiny_bert, f"{long} bad bad bad")
    assert (longest.num_tokens, longer.num_tokens) == (MAX_LENGTH, MAX_LENGTH + 3)
    assert longer.probabilities == longest.probabilities


def test_unsuitable_requests_and_infinite_logits_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    assert "some of layers 1 to 2" in refusal(predicted, tiny_bert, TEXT, scope="layer:9")
    assert "2,001 characters: type 1 to 2,000" in refusal(predicted, tiny_bert, "x" * 2_001)
    other = make_bert(tmp_path / "tiny-bert", seed=1)
    with pytest.raises(PrunescopeError, match=r"'tiny-bert' has the content .{12}, but the result was computed on "):
        predict(request(other), resolve(str(tiny_bert)).revision, [TEXT], silent)
    with borrow(resolve(str(other))) as checkpoint:
        checkpoint.model.bert.encoder.layer[1].output.dense.weight.data.mul_(1e38)  # type: ignore[union-attr, operator]
    assert "'tiny-bert' computes numbers that are not finite" in refusal(predicted, other, TEXT)


def test_a_model_of_ones_own_answers_with_its_own_labels(tiny_emotions: Path, tmp_path: Path) -> None:
    (table := tmp_path / "mine.csv").write_text("what,feeling\n" + "a slow film,joy\na bad film,fear\n" * 20)
    fields = {"checkpoint": str(tiny_emotions), "task": "auto", "data": str(table), "amounts": [0.0, 0.5]}
    outcome = ANSWERS["predict"](Mock(), revision=resolve(str(tiny_emotions)).revision, texts=[TEXT], **fields)
    checkpoint = loaded(resolve(str(tiny_emotions)))
    assert outcome["labels"] == tuple(checkpoint.model.config.id2label.values())
    assert outcome["probabilities"][0] == pytest.approx(direct(checkpoint.model, checkpoint.tokenizer, TEXT))


def test_the_worker_returns_plain_values_and_reports_every_amount(tiny_bert: Path) -> None:
    line = {"revision": resolve(str(tiny_bert)).revision, "texts": [TEXT], **vars(request(tiny_bert, "wanda"))}
    outcome = ANSWERS["predict"](report := Mock(), **line)
    expected = json.loads(json.dumps(asdict(predicted(tiny_bert, TEXT, method="wanda"))))
    assert json.loads(json.dumps(outcome, allow_nan=False)) == expected
    reports = [call.args for call in report.mock_calls]
    assert reports[0][0] == "Scoring on calibration examples"
    assert reports[-3:] == [("Measuring the unpruned model", 0, 3), ("30 % removed", 1, 3), ("60 % removed", 2, 3)]
