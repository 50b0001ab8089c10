"""Every architecture against `model`, which shares no code with the engine: points, masks, units, scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_calibration, make_encoder, make_texts
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.architectures import ARCHITECTURES, num_prunable
from core.encoder.batches import encode, plan_windows
from core.encoder.representations import Recorder
from core.pruning import Baseline, Plan, PrunedModel, module_of
from core.pruning.magnitude import scoped_weights
from core.pruning.units import UnitPlan
from core.request.points import point_names
from tests.independent.model import WRITTEN, Entries, Unit, Written

LAYERS, AMOUNT, SEED = 2, 0.3, 9
POINTS = point_names("both", LAYERS)
GOLD = [k % 2 for k in range(12)]
TEXTS = make_texts(len(GOLD), seed=SEED)  # 3 to 20 words: micro-batches have padding
SCOPES = ["encoder", "all-linear", "layer:1"]

CASES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    **{name: (name, {}) for name in ARCHITECTURES},
    "deberta-v2, with matrices of its own for positions": (
        "deberta-v2",
        {
            "share_att_key": False,
            "position_buckets": -1,
            "norm_rel_ebd": "none",
            "position_biased_input": True,
            "type_vocab_size": 2,
        },
    ),
    "modernbert, with biases and the mean": (
        "modernbert",
        {
            **dict.fromkeys(("mlp_bias", "attention_bias", "norm_bias", "classifier_bias"), True),
            "classifier_pooling": "mean",
        },
    ),
}


@pytest.fixture(scope="module", params=CASES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model_type, further = CASES[request.param]
    return make_encoder(tmp_path_factory.mktemp("encoder"), model_type, layers=LAYERS, **further)


@pytest.fixture(scope="module")
def model(folder: Path) -> nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(folder).eval()


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> object:
    return AutoTokenizer.from_pretrained(folder)


@pytest.fixture
def written(model: nn.Module) -> Written:
    return WRITTEN[model.config.model_type](model.state_dict(), model.config)


def plan_of(model: nn.Module, tokenizer: object, method: str, scope: str | None = None, controls: str = "") -> Plan:
    calibration = make_calibration(tokenizer, GOLD, seed=SEED)
    baseline = Baseline(model, (AMOUNT,), scope, calibration=calibration, controls=controls or None)
    return module_of(method).plan(baseline)


def removed_by(model: nn.Module, plan: Plan) -> dict[str, np.ndarray]:
    """What a plan removes of each parameter, by name."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    masks = plan.keep_masks(AMOUNT, plan.parameters)
    return {names[id(parameter)]: ~keep.numpy() for parameter, keep in zip(plan.parameters, masks, strict=True)}


def assert_same_masks(ours: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], differing: int = 0) -> None:
    assert ours.keys() == expected.keys()
    assert sum(int((ours[name] != mask).sum()) for name, mask in expected.items()) <= differing
    assert all(mask.any() for mask in expected.values())


def assert_same_pass(
    model: nn.Module, tokenizer: object, written: Written, removed: Mapping[Unit, Tensor] | None = None
) -> None:
    """Compares logits and all points of the sentences in padded micro-batches with one sentence at a time."""
    (window,) = plan_windows(encode(tokenizer, [(text,) for text in TEXTS], 128), tokenizer, 0)
    assert not all(batch.real.all() for batch in window.micro_batches)
    with Recorder(model, POINTS) as recorder:
        for batch in window.micro_batches:
            logits = recorder.run(batch)
            for row, example in enumerate(batch.examples.tolist()):
                trace = written.run(tokenizer(TEXTS[example])["input_ids"], removed)
                assert_close(logits[row], trace.logits)
                for name, state in zip(POINTS, recorder.states, strict=True):
                    assert_close(state[row, : batch.lengths[row]], trace.states[name])


def assert_close(ours: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(ours.double(), expected.detach(), rtol=0, atol=5e-5)


# ---------------------------------------------------------------- representations


def test_points_and_logits(model: nn.Module, tokenizer: object, written: Written) -> None:
    assert_same_pass(model, tokenizer, written)


@pytest.mark.parametrize("scope", SCOPES)
def test_the_emptied_model(model: nn.Module, tokenizer: object, written: Written, scope: str) -> None:
    for name in written.matrices(scope):
        written.weights[name].zero_()
    plan = plan_of(model, tokenizer, "magnitude", "encoder")
    with PrunedModel(model, plan) as pruned, pruned.emptied(scoped_weights(model, scope)):
        assert_same_pass(model, tokenizer, written)


# ---------------------------------------------------------------- single weights


def test_prunable_weights_are_those_of_the_layers_matrices(model: nn.Module, written: Written) -> None:
    assert num_prunable(model) == sum(written.weights[name].numel() for name in written.matrices("encoder"))


def smallest(model: nn.Module, names: Sequence[str]) -> dict[str, np.ndarray]:
    """The round(amount · n) smallest |w| of some matrices, by one sort of them all."""
    weights = {name: model.get_parameter(name).detach().abs().numpy() for name in names}
    order = np.concatenate([weight.ravel() for weight in weights.values()]).argsort(kind="stable")
    flat = np.zeros(len(order), dtype=bool)
    flat[order[: round(AMOUNT * len(order))]] = True
    ends = np.cumsum([weight.size for weight in weights.values()])
    return {
        name: part.reshape(weights[name].shape)
        for name, part in zip(weights, np.split(flat, ends[:-1]), strict=True)
    }  # fmt: skip


@pytest.mark.parametrize("scope", SCOPES)
def test_magnitude_and_its_control(model: nn.Module, tokenizer: object, written: Written, scope: str) -> None:
    expected = smallest(model, sorted(written.matrices(scope)))
    assert_same_masks(removed_by(model, plan_of(model, tokenizer, "magnitude", scope)), expected)
    control = removed_by(model, plan_of(model, tokenizer, "random", scope, controls="magnitude"))
    assert {name: mask.sum() for name, mask in control.items()} == {name: mask.sum() for name, mask in expected.items()}


@pytest.mark.parametrize("scope", SCOPES)
def test_wanda_and_its_control(model: nn.Module, tokenizer: object, written: Written, scope: str) -> None:
    squares: dict[str, Tensor] = {}
    for text in TEXTS:
        for matrix, read in written.run(tokenizer(text)["input_ids"]).reads.items():
            total = read.detach().square().reshape(-1, read.shape[-1]).sum(0)  # (columns,)
            squares[f"{matrix}.weight"] = squares.get(f"{matrix}.weight", 0) + total
    expected = {}
    for name in written.matrices(scope):
        scores = (written.weights[name].abs() * squares[name].sqrt()).numpy()  # (rows, columns)
        lowest = scores.argsort(axis=1, kind="stable")[:, : int(AMOUNT * scores.shape[1])]
        expected[name] = np.zeros(scores.shape, dtype=bool)
        np.put_along_axis(expected[name], lowest, True, axis=1)
    ours = removed_by(model, plan_of(model, tokenizer, "wanda", scope))
    assert_same_masks(ours, expected, differing=4)  # float32 may swap two neighbours in a row here and there
    control = removed_by(model, plan_of(model, tokenizer, "random", scope, controls="wanda"))
    assert {name: mask.sum(1).tolist() for name, mask in control.items()} == {
        name: mask.sum(1).tolist() for name, mask in expected.items()
    }


# ---------------------------------------------------------------- whole units


def lowest(scores: Tensor) -> Tensor:
    return scores.argsort(stable=True)[: round(AMOUNT * len(scores))]


def masks_of(model: nn.Module, entries: Sequence[tuple[list[Entries], Tensor]]) -> dict[str, np.ndarray]:
    """Marks the entries of units, given where a type's units have entries and which of them go."""
    expected: dict[str, np.ndarray] = {}
    for of_type, units in entries:
        for name, dimension, start in of_type:
            shape = tuple(model.get_parameter(name).shape)
            index = start + units.numpy()
            np.moveaxis(expected.setdefault(name, np.zeros(shape, dtype=bool)), dimension, 0)[index] = True
    return expected


def kinds(written: Written) -> list[Unit]:
    return [(layer, kind) for layer in range(written.num_layers) for kind in (0, 1)]


@pytest.mark.parametrize("method", ["attribution", "random-neuron"])
def test_units_are_removed_cleanly(model: nn.Module, tokenizer: object, written: Written, method: str) -> None:
    plan = plan_of(model, tokenizer, method, controls="attribution")
    assert isinstance(plan, UnitPlan)
    gone = {unit: lowest(plan.scores[unit[0]][unit[1]]) for unit in kinds(written)}
    assert [len(units) for units in gone.values()] == [10, 19] * LAYERS  # of 32 and 64
    expected = masks_of(model, [(written.entries(unit), units) for unit, units in gone.items()])
    assert_same_masks(removed_by(model, plan), expected)
    with PrunedModel(model, plan) as pruned:
        pruned.prune(AMOUNT)
        assert_same_pass(model, tokenizer, written, gone)  # written out, they are zero and no weight has changed


def test_attribution(model: nn.Module, tokenizer: object, written: Written) -> None:
    plan = plan_of(model, tokenizer, "attribution")
    assert isinstance(plan, UnitPlan)
    totals: dict[Unit, Tensor] = {}
    for text, label in zip(TEXTS, GOLD, strict=True):
        trace = written.run(tokenizer(text)["input_ids"])
        gradients = torch.autograd.grad(trace.logits.softmax(-1)[label], list(trace.units.values()))
        for (unit, values), gradient in zip(trace.units.items(), gradients, strict=True):
            totals[unit] = totals.get(unit, 0) + (values * gradient).detach().sum(0).abs() / len(TEXTS)  # (units,)
    for layer, kind in kinds(written):
        expected = totals[layer, kind]
        scores = plan.scores[layer][kind]
        torch.testing.assert_close(scores, expected, rtol=0, atol=1e-4 * float(expected.max()))


@pytest.mark.parametrize("method", ["attribution-residual", "random-neuron"])
def test_hidden_units(model: nn.Module, tokenizer: object, written: Written, method: str) -> None:
    if model.config.model_type == "modernbert":
        return  # refused, see encoder/test_architectures.py
    controls = "attribution-residual" if method == "random-neuron" else ""
    plan = plan_of(model, tokenizer, method, controls=controls)
    assert isinstance(plan, UnitPlan)
    gone = [(written.hidden_entries(layer), lowest(scores)) for layer, (scores,) in enumerate(plan.scores)]
    assert_same_masks(removed_by(model, plan), masks_of(model, gone))
