"""The whole procedure: passes, repetition, cancelling, shared passes, early stop; a typed text."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from tiny import left_whole, loaded, make_bert
from torch.nn.utils import prune

from core.encoder.architectures import (
    encoder_layers,
    linear_layers,
    linear_weights,
)
from core.encoder.loading import Checkpoint, borrow
from core.errors import PrunescopeError
from core.inputs.checkpoints import resolve
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import MAX_LENGTH, METHODS, TASKS
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.prediction import Prediction
from core.results.schema import SweepResult
from core.sweep.meter import predict, silent
from core.sweep.sweep import Shared, sweep
from core.worker import ANSWERS
from tests.refusals import refusal

PASS, REST = 5, 2  # micro-batches of 70 examples, and of the other 26


def parts(folder: Path, glue: Path, **options: object) -> tuple[Checkpoint, Inputs]:
    scope = usual_scope(str(options.get("method", "magnitude")))
    settings = {
        "data": str(glue),
        "amounts": (0.0, 0.4, 0.8),
        "num_examples": 70,
        "scope": scope,
        **options,
    }
    request = checked(SweepRequest(str(folder), **{"task": "sst2", **settings}))
    inputs = prepare(request)
    return loaded(inputs.resolved), inputs


def run(folder: Path, glue: Path, **options: object) -> SweepResult:
    result = sweep(*parts(folder, glue, **options))
    return SweepResult.model_validate(result.model_dump(mode="json"))


def numbers(result: SweepResult) -> dict[str, object]:
    """Return a result's file without the time that it took."""
    return result.model_dump(mode="json", exclude={"seconds", "created_at", "checksum"})


def passes_of(model: torch.nn.Module, work: Callable[[], SweepResult]) -> tuple[SweepResult, int]:
    """Return a result and the number of forward passes that it took."""
    batches: list[None] = []
    handle = model.register_forward_hook(lambda *_: batches.append(None))
    result = work()
    handle.remove()
    return result, len(batches)


def test_parts_that_do_not_fit_together_are_refused(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, inputs = parts(tiny_bert, glue_folder)
    deeper = replace(inputs, request=replace(inputs.request, scope="layer:2"))
    assert "some of layers 1 to 2" in refusal(sweep, checkpoint, deeper)


@pytest.mark.parametrize(
    ("method", "scored"), [("magnitude", 0), ("attribution", 10)]
)  # 160 calibration examples
def test_progress_and_frames_come_in_order(
    tiny_bert: Path, glue_folder: Path, method: str, scored: int
) -> None:
    checkpoint, inputs = parts(tiny_bert, glue_folder, method=method)
    events: list[object] = []
    result, passes = passes_of(
        checkpoint.model,
        lambda: sweep(
            checkpoint,
            inputs,
            lambda *at: events.append(at),
            lambda _, new: events.append(new),
        ),
    )
    assert passes == scored + (1 + 3) * PASS  # the floor and three amounts
    scoring = [("Scoring on calibration examples", k + 1, scored) for k in range(scored)]
    stages = (
        "Measuring the emptied model",
        "Measuring the unpruned model",
        "40 % removed",
        "80 % removed",
    )
    measuring = [(stages[k // PASS], k + 1, 20) for k in range(4 * PASS)]
    for after, frame in zip((10, 16, 22), result.frames, strict=True):
        measuring.insert(after, frame)
    assert events == [*scoring, *measuring], (
        "scores are computed once, and frames are emitted at once"
    )
    assert numbers(run(tiny_bert, glue_folder, method=method)) == numbers(result), "to the last bit"


@pytest.mark.parametrize(
    (
        "reports",
        "left",
    ),  # the share of the encoder's weights that is left at that moment
    [(3, 1.0), (12, 0.0), (17, 1.0), (22, 0.6)],
    ids=["scoring", "emptied", "unpruned", "pruned"],
)
def test_cancelling_restores_the_model(
    tiny_bert: Path, glue_folder: Path, reports: int, left: float
) -> None:
    checkpoint, inputs = parts(tiny_bert, glue_folder, method="wanda")
    weights = [
        weight for layer in encoder_layers(checkpoint.model) for weight in linear_weights(layer)
    ]
    counter = count(1)

    def cancel(stage: str, done: int, total: int) -> None:
        if next(counter) == reports:
            nonzero = torch.nn.utils.parameters_to_vector(weights) != 0
            assert nonzero.double().mean().item() == pytest.approx(left, abs=0.03)
            raise InterruptedError

    with left_whole(checkpoint.model), pytest.raises(InterruptedError):
        sweep(checkpoint, inputs, cancel)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_request_determines_its_numbers_for_every_method(
    tiny_bert: Path, glue_folder: Path, method: str
) -> None:
    whole = run(tiny_bert, glue_folder, method=method)
    first = whole.frames[0]
    assert first.own("mean") == pytest.approx([1, 1], abs=1e-6), "amount 0 changes nothing"
    assert (first.sparsity, first.changed.share, first.changed.interval) == (
        0,
        0,
        None,
    )
    alone = run(tiny_bert, glue_folder, method=method, amounts=(0.0, 0.8))
    assert alone.frames[1] == whole.frames[2], (
        "a frame does not depend on the other amounts of its sweep"
    )
    assert run(tiny_bert, glue_folder, method=method, num_examples=4).statistics is None, "too few"
    calibration = whole.pruning.calibration
    if METHODS[method].calibrated:
        assert (calibration.num_examples, calibration.source_name) == (
            160,
            f"{glue_folder.name}, train",
        )
    else:
        assert calibration is None


def test_infinite_numbers_are_never_scored(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, inputs = parts(tiny_bert, glue_folder)
    weight = checkpoint.model.bert.encoder.layer[0].output.dense.weight
    checkpoint.model.classifier.register_forward_hook(
        lambda module, inputs, logits: (
            logits / 0 if 0.6 < (weight == 0).float().mean().item() < 1 else None
        )
    )
    emitted: list[object] = []
    with pytest.raises(
        PrunescopeError,
        match=r"'tiny-bert' computes numbers that are not finite.*: choose another",
    ):
        sweep(
            checkpoint,
            inputs,
            on_frame=lambda _, frame: emitted.append(frame),
        )
    assert len(emitted) == 2, "until most of the matrix is zero"


ALL = {"range_examples": "all"}
SHARED = [  # settings of consecutive sweeps, and the number of forward passes of each
    ({"points": "both", **ALL}, 4 * PASS + 3 * REST),
    (
        {"points": "both", "method": "random", "seed": 3, **ALL},
        2 * (PASS + REST),
    ),
    (
        {"points": "both", "method": "random-neuron", **ALL},
        2 * (PASS + REST),
    ),  # the same emptied encoder
    ({"points": "both", "scope": "all-linear", **ALL}, 3 * PASS + 2 * REST),
    ({"points": "both"}, 4 * PASS),
    ({}, 4 * PASS),
    ({"num_examples": 60}, 4 * 4),
    (
        {"num_examples": 60, "range_examples": "all"},
        3 * (4 + 3),
    ),  # the floor is known
]


def test_sweeps_that_share_give_the_same_bits_in_fewer_passes(
    tiny_bert: Path, glue_folder: Path
) -> None:
    shared: Shared = {}
    checkpoint = parts(tiny_bert, glue_folder)[0]
    for options, expected in SHARED:
        _, inputs = parts(tiny_bert, glue_folder, **options)
        together, passes = passes_of(
            checkpoint.model,
            lambda: sweep(checkpoint, inputs, shared=shared),  # noqa: B023
        )
        assert passes == expected, options
        assert numbers(together) == numbers(sweep(checkpoint, inputs)), options


# ---------------------------------------------------------------- early stop, and the working range


def test_a_sweep_stops_once_a_damage_is_reached(tiny_bert: Path, glue_folder: Path) -> None:
    amounts = tuple(k / 20 for k in range(10))
    whole = run(tiny_bert, glue_folder, amounts=amounts)
    damages = [1 - np.mean(frame.own("mean")) for frame in whole.frames]
    stopped = run(tiny_bert, glue_folder, amounts=amounts, until_damage=0.1)
    reached = int(np.argmax(np.array(damages) >= 0.1))
    assert 0 < reached < len(damages) - 1
    assert stopped.frames == whole.frames[: reached + 1]
    assert stopped.pruning.stop.amounts == amounts
    assert stopped.key != whole.key
    gaps = [result.statistics.cka["mean"].gap_at_damage["0.1"] for result in (stopped, whole)]
    assert gaps[0] == gaps[1]


def test_the_working_range_can_be_judged_on_all_examples(
    tiny_bert: Path, glue_folder: Path
) -> None:
    subset = run(tiny_bert, glue_folder, num_examples=40)
    judged = run(tiny_bert, glue_folder, num_examples=40, range_examples="all")
    everything = run(tiny_bert, glue_folder, num_examples=None)
    assert (subset.key, subset.frames) == (judged.key, judged.frames)
    assert subset.working_range.examples == 40
    assert judged.working_range.examples == len(everything.task.gold) > 40
    np.testing.assert_allclose(judged.working_range.lead, everything.working_range.lead)
    assert judged.working_range.to == everything.working_range.to


# ---------------------------------------------------------------- a typed text

TEXT = "a slow film but the music is bright ."
AMOUNTS = (0.0, 0.3, 0.6)


def asked(folder: Path, method: str = "magnitude", **changes: object) -> SweepRequest:
    fields = {
        "method": method,
        "scope": usual_scope(method),
        "amounts": AMOUNTS,
        "data": "written",
        **changes,
    }
    return checked(SweepRequest(str(folder), "sst2", **fields))  # type: ignore[arg-type]


def predicted(folder: Path, *texts: str, **changes: object) -> Prediction:
    return predict(asked(folder, **changes), resolve(str(folder)).revision, texts, silent)


def direct(model: torch.nn.Module, tokenizer: object, *texts: str) -> tuple[float, ...]:
    with torch.no_grad():
        encoded = tokenizer(*texts, return_tensors="pt", truncation=True, max_length=MAX_LENGTH)  # type: ignore[operator]
        return tuple(model(**encoded).logits.softmax(-1)[0].tolist())


def test_probabilities_are_those_of_a_model_pruned_by_torch(
    tiny_bert: Path,
) -> None:
    prediction = predicted(tiny_bert, f"  {TEXT} ☃\n")
    assert (prediction.amounts, prediction.labels) == (
        AMOUNTS,
        TASKS["sst2"].label_names,
    )
    assert (prediction.num_tokens, prediction.num_unknown) == (
        len(TEXT.split()) + 3,
        1,
    )
    checkpoint = loaded(resolve(str(tiny_bert)))
    unpruned = direct(checkpoint.model, checkpoint.tokenizer, f"{TEXT} ☃")
    matrices = [
        (m, "weight") for layer in encoder_layers(checkpoint.model) for m in linear_layers(layer)
    ]
    prune.global_unstructured(matrices, prune.L1Unstructured, amount=0.6)
    pruned = direct(checkpoint.model, checkpoint.tokenizer, f"{TEXT} ☃")
    assert prediction.probabilities[0] == pytest.approx(unpruned)
    assert prediction.probabilities[2] == pytest.approx(pruned, abs=1e-5)
    assert unpruned != pytest.approx(pruned, abs=1e-3), "pruning has an effect"


def test_tokens_beyond_the_limit_are_counted_but_not_read(
    tiny_bert: Path,
) -> None:
    long = " ".join(["bright"] * 126)
    longest = predicted(tiny_bert, long)
    longer = predicted(tiny_bert, f"{long} bad bad bad")
    assert (longest.num_tokens, longer.num_tokens) == (
        MAX_LENGTH,
        MAX_LENGTH + 3,
    )
    assert longer.probabilities == longest.probabilities


def test_unsuitable_requests_and_infinite_logits_are_refused(
    tiny_bert: Path, tmp_path: Path
) -> None:
    assert "some of layers 1 to 2" in refusal(predicted, tiny_bert, TEXT, scope="layer:9")
    assert "2,001 characters: type 1 to 2,000" in refusal(predicted, tiny_bert, "x" * 2_001)
    other = make_bert(tmp_path / "tiny-bert", seed=1)
    with pytest.raises(
        PrunescopeError,
        match=r"'tiny-bert' has the content .{12}, but the result was computed on ",
    ):
        predict(asked(other), resolve(str(tiny_bert)).revision, [TEXT], silent)
    with borrow(resolve(str(other))) as checkpoint:
        checkpoint.model.bert.encoder.layer[1].output.dense.weight.data.mul_(1e38)  # type: ignore[union-attr, operator]
    assert "'tiny-bert' computes numbers that are not finite" in refusal(predicted, other, TEXT)


def test_a_model_of_ones_own_answers_with_its_own_labels(
    tiny_emotions: Path, tmp_path: Path
) -> None:
    (table := tmp_path / "mine.csv").write_text(
        "what,feeling\n" + "a slow film,joy\na bad film,fear\n" * 20
    )
    fields = {
        "checkpoint": str(tiny_emotions),
        "task": "auto",
        "data": str(table),
        "amounts": [0.0, 0.5],
    }
    report = Mock()
    outcome = ANSWERS["predict"](
        report,
        revision=resolve(str(tiny_emotions)).revision,
        texts=[TEXT],
        **fields,
    )
    stages = [call.args[0] for call in report.mock_calls]
    assert stages[-2:] == ["Measuring the unpruned model", "50 % removed"]
    json.dumps(outcome, allow_nan=False)  # plain values
    checkpoint = loaded(resolve(str(tiny_emotions)))
    assert outcome["labels"] == tuple(checkpoint.model.config.id2label.values())
    assert outcome["probabilities"][0] == pytest.approx(
        direct(checkpoint.model, checkpoint.tokenizer, TEXT)
    )
