"""The whole procedure: forward passes counted, bit-equal repetition, cancelling, any task and depth."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import loaded, make_bert

from core.encoder.loading import Checkpoint
from core.errors import PrunescopeError
from core.inputs.prepare import Inputs, prepare
from core.inputs.training_overlap import example_digests
from core.request import limits
from core.request.amounts import stepped_amounts
from core.request.catalog import METHODS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import SweepResult
from core.sweep.runner import Progress
from core.sweep.statistics import depth_gap, survival
from core.sweep.sweep import Event, FrameReady, sweep

Run = Callable[..., SweepResult]


def parts(folder: Path, glue: Path, **options: object) -> tuple[Checkpoint, Inputs, SweepRequest, str]:
    settings = {"task": "sst2", "data": str(glue), "amounts": (0.0, 0.4, 0.8), "num_examples": 70, **options}
    request = checked(SweepRequest(str(folder), **settings))
    inputs = prepare(request)
    return loaded(inputs.resolved), inputs, request, inputs.key


def run(folder: Path, glue: Path, **options: object) -> SweepResult:
    checkpoint, examples, request, key = parts(folder, glue, **options)
    *_, result = sweep(checkpoint, examples, request)
    assert isinstance(result, SweepResult)
    assert result.key == key
    return SweepResult.model_validate(result.model_dump(mode="json"))


def swept(checkpoint: Checkpoint, inputs: Inputs, request: SweepRequest) -> tuple[list[Event], int]:
    """Run a sweep; return its events and how many forward passes the model made."""
    batches: list[object] = []
    handle = checkpoint.model.register_forward_hook(lambda *batch: batches.append(None))
    events = list(sweep(checkpoint, inputs, request))
    handle.remove()
    return events, len(batches)


def test_examples_of_the_training_data_and_too_many_are_refused(
    tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, inputs, request, _ = parts(tiny_bert, glue_folder)
    seen = replace(checkpoint, training_digests=example_digests(inputs.subset.texts))
    with pytest.raises(PrunescopeError, match="are in the training data"):
        list(sweep(seen, inputs, request))
    monkeypatch.setattr(limits, "LOCAL_LIMITS", replace(limits.LOCAL_LIMITS, examples=69))
    with pytest.raises(PrunescopeError, match="70 examples: choose at most 69"):
        list(sweep(checkpoint, inputs, request))


def test_events_come_in_order_with_one_pass_per_amount(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder)
    events, passes = swept(checkpoint, examples, request)
    assert passes == (1 + 3) * 5  # the floor and three amounts, 70 examples in micro-batches of 16
    assert [event.done for event in events if isinstance(event, Progress)] == list(range(1, 21))
    assert {event.total for event in events if isinstance(event, Progress)} == {20}
    ready = [event for event in events if isinstance(event, FrameReady)]
    assert [event.frame.amount for event in ready] == [0.0, 0.4, 0.8]
    assert isinstance(events[-1], SweepResult)
    assert events[-1].frames == tuple(event.frame for event in ready)
    assert isinstance(events[10], FrameReady), "a frame comes as soon as it is known"


def test_a_sweep_that_may_stop_early_expects_a_part_and_then_half_as_much_again(
    tiny_bert: Path, glue_folder: Path
) -> None:
    amounts = stepped_amounts(0.1, 0.8)
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder, amounts=amounts, until_damage=0.999)
    progress = [event for event in sweep(checkpoint, examples, request) if isinstance(event, Progress)]
    assert [event.done for event in progress] == list(range(1, 51))  # the floor and nine amounts, each 5 micro-batches
    assert all(event.done <= event.total for event in progress)
    assert list(dict.fromkeys(event.total for event in progress)) == [20, 30, 45, 50], "at first up to 0.2"


def test_two_runs_agree_to_the_last_bit(tiny_bert: Path, glue_folder: Path) -> None:
    first, second = run(tiny_bert, glue_folder), run(tiny_bert, glue_folder)
    assert first.frames == second.frames
    assert first.key == second.key


def test_the_baseline_with_itself(tiny_bert: Path, glue_folder: Path) -> None:
    frame = run(tiny_bert, glue_folder, points="both").frames[0]
    assert frame.sparsity == frame.prunable_sparsity == 0
    for matrix in frame.similarity["cka"].values():
        values = np.array(matrix, dtype=float)
        np.testing.assert_allclose(np.diag(values), 1, atol=1e-6)
        np.testing.assert_allclose(values, values.T, atol=1e-6)


def test_amount_zero_changes_no_logit(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder)
    inputs = checkpoint.tokenizer(["a good film"], return_tensors="pt")
    before = checkpoint.model(**inputs).logits.detach()
    events = sweep(checkpoint, examples, request)
    for _ in range(6):
        next(events)  # after the floor, into the middle of the baseline's frame
    assert torch.equal(checkpoint.model(**inputs).logits.detach(), before)
    events.close()


def test_cancelling_leaves_the_model_as_it_was(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder)
    before = {name: value.clone() for name, value in checkpoint.model.state_dict().items()}
    events = sweep(checkpoint, examples, request)
    for event in events:
        if isinstance(event, Progress) and event.amount > 0:
            break
    assert any(not torch.equal(value, before[name]) for name, value in checkpoint.model.state_dict().items())
    events.close()
    for name, value in checkpoint.model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(module._forward_hooks for module in checkpoint.model.modules())


@pytest.mark.parametrize(
    ("task", "labels", "metrics"),
    [
        ("mrpc", 2, {"accuracy", "matthews_correlation", "f1"}),
        ("cola", 2, {"accuracy", "matthews_correlation"}),
        ("mnli", 3, {"accuracy"}),
    ],
)
def test_any_task_in_the_hubs_layout(
    tmp_path: Path, glue_folder: Path, task: str, labels: int, metrics: set[str]
) -> None:
    folder = make_bert(tmp_path / "model", layers=3, labels=labels, dtype=torch.float16)
    result = run(folder, glue_folder, task=task)
    assert result.task.split == ("validation_matched" if task == "mnli" else "validation")
    assert len(result.points) == result.checkpoint.num_layers == 3
    for frame in result.frames:
        assert set(frame.metrics) == set(frame.intervals) == metrics
        low, high = frame.intervals["accuracy"]
        assert low < frame.metrics["accuracy"] < high
        correct = np.mean(np.array(frame.predictions) == np.array(result.task.gold))
        assert frame.metrics["accuracy"] == pytest.approx(correct)


def test_twelve_layers(tmp_path: Path, glue_folder: Path) -> None:
    result = run(make_bert(tmp_path / "deep", layers=12), glue_folder, amounts=(0.0, 0.5), num_examples=16)
    assert np.array(result.frames[1].similarity["cka"]["tokens"]).shape == (12, 12)


def test_isolated_pruning_leaves_lower_layers_alone(tiny_bert: Path, glue_folder: Path) -> None:
    frame = run(tiny_bert, glue_folder, scope="layer:1", points="layer").frames[2]
    for matrix in frame.similarity["cka"].values():
        assert matrix[0][0] == pytest.approx(1, abs=1e-6)
        assert matrix[1][1] < 0.999
    assert frame.layer_sparsity[0] == 0 < frame.layer_sparsity[1]


def test_length_control_is_the_padding_masks_cka(tiny_bert: Path, glue_folder: Path) -> None:
    """Against NumPy, one unpadded sentence at a time; 70 examples make minibatches of 32 and 38."""
    control = run(tiny_bert, glue_folder, amounts=(0.0,)).similarity.length_control
    checkpoint, inputs, _, _ = parts(tiny_bert, glue_folder)
    sentences = [checkpoint.tokenizer(*texts, return_tensors="pt") for texts in inputs.subset.texts]
    lengths = [sentence["input_ids"].shape[1] for sentence in sentences]
    for layer, value in zip(checkpoint.model.bert.encoder.layer, control, strict=True):
        states: list[np.ndarray] = []  # of each sentence (tokens, hidden)
        hook = layer.attention.register_forward_hook(lambda *caught, states=states: states.append(caught[2][0][0]))
        with torch.inference_mode():
            for sentence in sentences:
                checkpoint.model(**sentence)
        hook.remove()
        sums = np.zeros(3)
        for minibatch in (slice(0, 32), slice(32, 70)):
            longest = max(lengths[minibatch])
            flat = [np.pad(state.numpy(), ((0, longest - len(state)), (0, 0))).ravel() for state in states[minibatch]]
            masks = [np.arange(longest) < length for length in lengths[minibatch]]
            x, mask = np.array(flat, dtype=np.float64), np.array(masks, dtype=np.float64)
            sums += [hsic1(x, mask), hsic1(x, x), hsic1(mask, mask)]
        assert value == pytest.approx(sums[0] / np.sqrt(sums[1] * sums[2]), abs=1e-5)


def hsic1(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased HSIC of two sets of features, (n, features) each: Nguyen et al. 2021, eq. 3."""
    k, l = (features @ features.T for features in (x - x.mean(0), y - y.mean(0)))  # noqa: E741
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    n = len(k)
    mixed = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (k @ l).sum()
    return float((np.trace(k @ l) + mixed) / (n * (n - 3)))


def test_parts_that_do_not_fit_are_refused_at_once(tiny_bert: Path, glue_folder: Path) -> None:
    with pytest.raises(PrunescopeError, match=r"2 labels \(LABEL_0, LABEL_1\), task mnli has 3"):
        parts(tiny_bert, glue_folder, task="mnli")
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder, scope="layer:2")
    with pytest.raises(PrunescopeError, match="layer:0 to layer:1"):
        sweep(checkpoint, examples, request)


def test_scores_are_computed_once_a_sweep_before_the_first_amount(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder, method="attribution", scope=None)
    events, passes = swept(checkpoint, examples, request)
    assert passes == 10 + 4 * 5  # 160 calibration and 70 evaluation examples in micro-batches of 16
    scoring = [event for event in events if isinstance(event, Progress) and event.amount is None]
    assert scoring == events[:10]
    assert [(event.done, event.total) for event in scoring] == [(k + 1, 10) for k in range(10)]
    assert scoring[0].stage == "Scoring on calibration examples"
    assert events[10].stage == "0 % removed"


def test_scoring_can_be_cancelled(tiny_bert: Path, glue_folder: Path) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder, method="wanda")
    events = sweep(checkpoint, examples, request)
    next(events)
    events.close()
    assert not any(module._forward_pre_hooks for module in checkpoint.model.modules())


def test_the_result_names_its_calibration_examples(tiny_bert: Path, glue_folder: Path) -> None:
    result = run(tiny_bert, glue_folder, method="attribution", scope=None)
    calibration = result.pruning.calibration
    assert (calibration.num_examples, calibration.source_name) == (160, f"{glue_folder.name}, train")
    assert len(calibration.reliability) == 2
    assert run(tiny_bert, glue_folder).pruning.calibration is None


@pytest.mark.parametrize("method", sorted(METHODS))
def test_a_request_decides_its_numbers_for_every_method(tiny_bert: Path, glue_folder: Path, method: str) -> None:
    options = {"method": method, "scope": "encoder" if METHODS[method].granularity == "weight" else None}
    whole = run(tiny_bert, glue_folder, **options)
    unpruned = run(tiny_bert, glue_folder).frames[0].similarity["cka"]
    assert whole.frames[0].similarity["cka"] == unpruned, "amount 0 changes nothing"
    alone = run(tiny_bert, glue_folder, **options, amounts=(0.0, 0.8))
    assert alone.frames[1] == whole.frames[2], "a frame does not depend on the other amounts of its sweep"


def test_statistics_are_of_the_frames(tiny_bert: Path, glue_folder: Path) -> None:
    result = run(tiny_bert, glue_folder)
    for name in ("mean", "cls"):
        own = np.array([np.diag(np.array(frame.similarity["cka"][name], dtype=float)) for frame in result.frames])
        of = result.statistics["cka"][name]
        expected = [layer.value for layer in survival(result.amounts, own)]
        assert [layer.value for layer in of.survival] == pytest.approx(expected, abs=1e-7)  # a file rounds own CKA
        assert of.depth_gap.value == pytest.approx(depth_gap(result.amounts, own))
        assert of.depth_gap.low < of.depth_gap.value < of.depth_gap.high
        assert np.mean(of.depth_gap.replicates) == pytest.approx(of.depth_gap.value, abs=0.02)


def test_leaving_an_example_out_is_running_without_it(
    tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, examples, request, _ = parts(tiny_bert, glue_folder, num_examples=20)
    *_, whole = sweep(checkpoint, examples, request)
    subset = examples.subset
    fewer = replace(subset, rows=subset.rows[1:], texts=subset.texts[1:], gold=subset.gold[1:])
    *_, without_first = sweep(checkpoint, replace(examples, subset=fewer), request)
    for name in ("mean", "cls"):
        replicate = whole.statistics["cka"][name].depth_gap.replicates[0]
        assert replicate == pytest.approx(without_first.statistics["cka"][name].depth_gap.value, abs=1e-6)


def test_a_sweep_over_more_examples_than_fit_a_band_has_the_same_numbers(
    tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(tiny_bert, glue_folder)
    monkeypatch.setattr("core.similarity.gram.BAND_BYTES", 2 * 70 * 8 * 16)  # 16 rows of two points
    banded = run(tiny_bert, glue_folder)
    for frame, expected in zip(banded.frames, whole.frames, strict=True):
        assert frame.similarity["cka"]["tokens"] == expected.similarity["cka"]["tokens"]
        for name in ("mean", "cls"):
            np.testing.assert_allclose(
                frame.similarity["cka"][name], expected.similarity["cka"][name], rtol=0, atol=1e-6
            )
    for name in ("mean", "cls"):
        gap, expected_gap = (result.statistics["cka"][name].depth_gap for result in (banded, whole))
        np.testing.assert_allclose(gap.replicates, expected_gap.replicates, rtol=0, atol=1e-6)


def test_four_examples_are_too_few_for_statistics(tiny_bert: Path, glue_folder: Path) -> None:
    assert run(tiny_bert, glue_folder, num_examples=4).statistics is None


def overflowing(model: torch.nn.Module) -> None:
    """Give a weight a size that is finite, but not what it computes."""
    model.bert.encoder.layer[1].output.dense.weight.data.mul_(1e38)


def overflowing_representations(model: torch.nn.Module) -> None:
    """Let every token be finite, and their mean not; what follows ignores it, so that the logits are finite."""
    layer = model.bert.encoder.layer[1]
    norm, reads, forgets = layer.attention.output.LayerNorm, layer.intermediate.dense, layer.output.LayerNorm
    for values, value in ((norm.weight, 0), (norm.bias, 1e38), (reads.weight.T, 0)):
        values.data[0] = value
    forgets.weight.data.zero_()


def overflowing_where(share_of_zeros: Callable[[float], bool]) -> Callable[[torch.nn.Module], None]:
    """Let the logits be infinite where so many weights of a matrix are zero."""

    def edit(model: torch.nn.Module) -> None:
        weight = model.bert.encoder.layer[0].output.dense.weight

        def hook(module: torch.nn.Module, inputs: object, logits: torch.Tensor) -> torch.Tensor | None:
            return logits / 0 if share_of_zeros((weight == 0).float().mean().item()) else None

        model.classifier.register_forward_hook(hook)

    return edit


@pytest.mark.parametrize(
    ("edit", "frames"),
    [
        (overflowing, 0),
        (overflowing_representations, 0),
        (overflowing_where(lambda share: share == 1), 0),  # the emptied model
        (overflowing_where(lambda share: 0.6 < share < 1), 2),
    ],
)
def test_what_is_not_finite_is_refused_and_never_scored(
    tiny_bert: Path, glue_folder: Path, edit: Callable[[torch.nn.Module], None], frames: int
) -> None:
    checkpoint, inputs, request, _ = parts(tiny_bert, glue_folder)
    edit(checkpoint.model)
    seen: list[Event] = []
    with pytest.raises(PrunescopeError, match=r"'tiny-bert' computes numbers that are not finite.*: choose another"):
        seen.extend(sweep(checkpoint, inputs, request))
    assert len([event for event in seen if isinstance(event, FrameReady)]) == frames
