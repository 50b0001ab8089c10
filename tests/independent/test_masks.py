"""Every architecture against `model`, which shares no code with the engine."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import UNLIKE, make_calibration, make_encoder, make_texts
from torch import Tensor, nn
from torch.nn.utils import prune
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.encoder.architectures import num_prunable
from core.encoder.batches import plan_windows
from core.encoder.representations import Recorder
from core.pruning.magnitude import scoped_weights
from core.pruning.plan import Baseline, Plan, PrunedModel, module_of
from core.request.scope import point_names
from tests.independent.model import Entries, Reference, Unit, kept

LAYERS = 2
AMOUNT = 0.3
SEED = 9
POINTS = point_names("both", LAYERS)
GOLD = [k % 2 for k in range(12)]
TEXTS = make_texts(len(GOLD), seed=SEED)  # 3 to 20 words: micro-batches have padding
SCOPES = ["encoder", "all-linear", "layer:1"]
UNSHARED = {
    "share_att_key": False,
    "position_buckets": -1,
    "norm_rel_ebd": "none",
    "position_biased_input": True,
}
BIASES = dict.fromkeys(("mlp_bias", "attention_bias", "norm_bias", "classifier_bias"), True)
CASES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    **{name: (name, {}) for name in UNLIKE},
    "deberta-v2, with matrices of its own for positions": (
        "deberta-v2",
        {**UNSHARED, "type_vocab_size": 2},
    ),
    "modernbert, with biases and the mean": (
        "modernbert",
        {**BIASES, "classifier_pooling": "mean"},
    ),
}
Masks = Mapping[str, np.ndarray]


class Both:
    """A model as the engine prunes it, and as it is computed here."""

    def __init__(self, folder: Path) -> None:
        self.model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.reference = Reference(self.model)

    def plan(
        self,
        method: str,
        scope: str | None = None,
        controls: str | None = None,
    ) -> Plan:
        calibration = make_calibration(self.tokenizer, GOLD, seed=SEED)
        baseline = Baseline(
            self.model,
            (AMOUNT,),
            scope,
            calibration=calibration,
            controls=controls,
        )
        return module_of(method).plan(baseline)

    def removed(self, plan: Plan) -> Masks:
        """What a plan removes of each parameter, by name."""
        return {name: ~keep.numpy() for name, keep in kept(self.model, plan, AMOUNT).items()}

    def smallest(self, scope: str) -> Masks:
        """The smallest |w| of a scope's matrices, as torch prunes them."""
        model = deepcopy(self.model)
        matrices = {
            name: model.get_submodule(name.removesuffix(".weight"))
            for name in self.reference.matrices(scope)
        }
        prune.global_unstructured(
            [(matrix, "weight") for matrix in matrices.values()],
            prune.L1Unstructured,
            amount=AMOUNT,
        )
        return {name: matrix.weight_mask.numpy() == 0 for name, matrix in matrices.items()}

    def assert_same_pass(self, removed: Mapping[Unit, Tensor] | None = None) -> None:
        """Compare padded micro-batches with one sentence at a time: logits and all points."""
        (window,) = plan_windows(self.tokenizer, [(text,) for text in TEXTS], 0)
        assert not all(batch.real.all() for batch in window.micro_batches)
        with Recorder(self.model, POINTS) as recorder, torch.no_grad():
            for batch in window.micro_batches:
                logits = recorder.run(batch)
                for row, example in enumerate(batch.examples.tolist()):
                    trace = self.reference.run(self.tokenizer(TEXTS[example]), removed)
                    assert_close(logits[row], trace.logits)
                    for name, state in zip(POINTS, recorder.states[:-1], strict=True):
                        assert_close(
                            state[row, : batch.lengths[row]],
                            trace.states[name],
                        )


def assert_close(ours: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(ours.double(), expected, rtol=0, atol=5e-5)


def assert_same_masks(ours: Masks, expected: Masks, differing: int = 0) -> None:
    assert ours.keys() == expected.keys()
    assert sum(int((ours[name] != mask).sum()) for name, mask in expected.items()) <= differing
    assert all(mask.any() for mask in expected.values())


def counts(masks: Masks, axis: int | None = None) -> dict[str, object]:
    """Count what goes of each matrix, or of each of its rows."""
    return {name: mask.sum(axis).tolist() for name, mask in masks.items()}


@pytest.fixture(scope="module", params=CASES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model_type, further = CASES[request.param]
    return make_encoder(
        tmp_path_factory.mktemp("encoder"),
        model_type,
        layers=LAYERS,
        **further,
    )


@pytest.fixture(scope="module")
def both(folder: Path) -> Both:
    return Both(folder)


# ---------------------------------------------------------------- representations


def test_points_and_logits(both: Both) -> None:
    both.assert_same_pass()


def test_the_emptied_model(folder: Path) -> None:
    both = Both(folder)  # of its own, since it is changed
    for name in both.reference.matrices("encoder"):
        both.reference.parameters[name].data.zero_()
    plan = both.plan("magnitude", "encoder")
    with (
        PrunedModel(both.model, plan) as pruned,
        pruned.emptied(scoped_weights(both.model, "encoder")),
    ):
        both.assert_same_pass()


# ---------------------------------------------------------------- single weights


@pytest.mark.parametrize("scope", SCOPES)
def test_magnitude_and_its_control(both: Both, scope: str) -> None:
    expected = both.smallest(scope)
    size = sum(mask.size for mask in expected.values())
    assert scope != "encoder" or num_prunable(both.model) == size
    assert_same_masks(both.removed(both.plan("magnitude", scope)), expected)
    control = both.removed(both.plan("random", scope, controls="magnitude"))
    assert counts(control) == counts(expected)


@pytest.mark.parametrize("scope", SCOPES)
def test_wanda_and_its_control(both: Both, scope: str) -> None:
    squares: dict[str, Tensor] = {}
    for text in TEXTS:
        for matrix, read in both.reference.run(both.tokenizer(text)).reads.items():
            total = read.detach().square().reshape(-1, read.shape[-1]).sum(0)  # (columns,)
            squares[f"{matrix}.weight"] = squares.get(f"{matrix}.weight", 0) + total
    expected = {}
    for name in both.reference.matrices(scope):
        weights = both.reference.parameters[name].detach()
        scores = weights.abs() * squares[name].sqrt()  # (rows, columns)
        gone = scores.argsort(stable=True)[:, : int(AMOUNT * scores.shape[1])]
        expected[name] = torch.zeros(scores.shape, dtype=torch.bool).scatter(1, gone, True).numpy()

    ours = both.removed(both.plan("wanda", scope))
    control = both.removed(both.plan("random", scope, controls="wanda"))

    # In float32, two neighbours of a row may be swapped here and there.
    assert_same_masks(ours, expected, differing=4)
    assert counts(control, axis=1) == counts(expected, axis=1)


# ---------------------------------------------------------------- whole units


def lowest(scores: Tensor) -> Tensor:
    return scores.argsort(stable=True)[: round(AMOUNT * len(scores))]


def masks_of(model: nn.Module, entries: Sequence[tuple[list[Entries], Tensor]]) -> Masks:
    """Mark the entries of units, given where a type's units have entries and which go."""
    masks: dict[str, np.ndarray] = {}
    for of_type, units in entries:
        for name, dimension, start in of_type:
            shape = model.get_parameter(name).shape
            mask = masks.setdefault(name, np.zeros(shape, dtype=bool))
            np.moveaxis(mask, dimension, 0)[start + units.numpy()] = True
    return masks


@pytest.mark.parametrize("method", ["attribution", "random-neuron"])
def test_units_are_removed_cleanly(both: Both, method: str) -> None:
    plan = both.plan(method, controls="attribution")
    gone = {
        (layer, kind): lowest(plan.scores[layer][kind])
        for layer in range(LAYERS)
        for kind in (0, 1)
    }
    assert [len(units) for units in gone.values()] == [
        10,
        19,
    ] * LAYERS  # of 32 and 64
    expected = masks_of(
        both.model,
        [(both.reference.entries(unit), units) for unit, units in gone.items()],
    )
    assert_same_masks(both.removed(plan), expected)
    with PrunedModel(both.model, plan) as pruned:
        pruned.prune(AMOUNT)
        both.assert_same_pass(gone)  # in the reference they are zero, and no weight has changed


def test_attribution(both: Both) -> None:
    totals: dict[Unit, Tensor] = {}
    for text, label in zip(TEXTS, GOLD, strict=True):
        trace = both.reference.run(both.tokenizer(text))
        gradients = torch.autograd.grad(trace.logits.softmax(-1)[label], list(trace.units.values()))
        for (unit, values), gradient in zip(trace.units.items(), gradients, strict=True):
            score = (values * gradient).detach().sum((0, 1)).abs()  # (units,), of (1, T, units)
            totals[unit] = totals.get(unit, 0) + score / len(TEXTS)
    scores = both.plan("attribution").scores
    for (layer, kind), expected in totals.items():
        torch.testing.assert_close(
            scores[layer][kind],
            expected,
            rtol=0,
            atol=1e-4 * float(expected.max()),
        )


@pytest.mark.parametrize("method", ["attribution-residual", "random-neuron"])
def test_hidden_units(both: Both, method: str) -> None:
    if both.model.config.model_type == "modernbert":
        return  # refused, see encoder/test_architectures.py
    plan = both.plan(
        method,
        controls="attribution-residual" if method == "random-neuron" else None,
    )
    gone = [
        (both.reference.hidden_entries(layer), lowest(scores))
        for layer, (scores,) in enumerate(plan.scores)
    ]
    assert_same_masks(both.removed(plan), masks_of(both.model, gone))
