"""What each method removes, from scores in float64 and one stable sort, without any code of the engine's.

An entry whose score lies next to the cut may fall on either side of it, because the engine scores in float32. So each
mask says which entries lie there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchmarks.independent.model import Bert, Example

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

NEAR = 1e-5  # relative distance from the cut


@dataclass(frozen=True)
class Mask:
    """A mask of one parameter, of its shape.

    Attributes:
        keep: False where an entry is removed.
        near: True where an entry's score differs from the cut's by less than NEAR of it.
    """

    keep: Flags
    near: Flags


Masks = dict[str, Mask]
Method = Callable[[float], Masks]
"""From an amount to the masks of all parameters that the method may change, by parameter name."""


def cut(scores: Array, count: int) -> Mask:
    """Remove the `count` smallest scores of each row; of equal scores the first.

    Args:
        scores: (…, n).
        count: From 0 to n.
    """
    if count == 0:
        return Mask(np.ones(scores.shape, dtype=bool), np.zeros(scores.shape, dtype=bool))
    order = np.argsort(scores, axis=-1, kind="stable")  # (…, n)
    keep = np.ones(scores.shape, dtype=bool)  # (…, n)
    np.put_along_axis(keep, order[..., :count], False, axis=-1)
    last = np.take_along_axis(scores, order[..., count - 1 : count], axis=-1)  # (…, 1)
    return Mask(keep, np.abs(scores - last) <= NEAR * np.abs(last))


def method_of(
    name: str,
    controls: str | None,
    model: Bert,
    scope: str | None,
    seed: int,
    calibration: Sequence[Example],
    gold: Sequence[int],
) -> Method:
    """Return a method by its name.

    Args:
        name: A name from METHODS.
        controls: The method whose allocation a random method follows; None for other methods.
        model: The baseline.
        scope: `encoder`, `all-linear`, `layer:K`; None for a neuron method.
        seed: For a random method.
        calibration: The examples that a method scores on.
        gold: Their label indices.
    """
    methods: Mapping[tuple[str, str | None], Callable[[], Method]] = {
        ("magnitude", None): lambda: magnitude(model, scope),
        ("wanda", None): lambda: wanda(model, scope, calibration),
        ("random", "magnitude"): lambda: control_of_matrices(magnitude(model, scope), seed),
        ("random", "wanda"): lambda: control_of_rows(model, scope, seed),
        ("attribution", None): lambda: attribution(model, calibration, gold),
        ("attribution-residual", None): lambda: attribution_residual(model, calibration, gold),
        ("random-neuron", "attribution"): lambda: control_of_units(model, clean_units(model), seed),
        ("random-neuron", "attribution-residual"): lambda: control_of_units(model, hidden_units(model), seed),
    }
    return methods[name, controls]()


# ---------------------------------------------------------------- weights


def magnitude(model: Bert, scope: str | None) -> Method:
    """Remove the smallest |w| over all matrices of a scope."""
    weights = {f"{name}.weight": model.weights[f"{name}.weight"].numpy() for name in model.matrices(scope)}
    scores = np.concatenate([np.abs(weight).reshape(-1) for weight in weights.values()])  # (weights of the scope,)
    ends = np.cumsum([weight.size for weight in weights.values()])[:-1]

    def masks(amount: float) -> Masks:
        mask = cut(scores, round(amount * len(scores)))
        parts = zip(weights.items(), np.split(mask.keep, ends), np.split(mask.near, ends), strict=True)
        return {name: Mask(keep.reshape(w.shape), near.reshape(w.shape)) for (name, w), keep, near in parts}

    return masks


def wanda(model: Bert, scope: str | None, calibration: Sequence[Example]) -> Method:
    """Remove the smallest |w| · ‖x‖ of each row, with the norm of the column's input over all tokens."""
    squares: dict[str, Tensor] = {}
    with torch.no_grad():
        for trace in map(model.forward, calibration):
            for name in model.matrices(scope):
                values = trace.inputs[name]  # (T, columns) or (columns,)
                squares[name] = squares.get(name, 0) + (values**2).reshape(-1, values.shape[-1]).sum(0)  # (columns,)
    scores = {
        f"{name}.weight": (model.weights[f"{name}.weight"].abs() * total.sqrt()).numpy()
        for name, total in squares.items()
    }  # each (rows, columns)
    return lambda amount: {name: cut(score, int(amount * score.shape[1])) for name, score in scores.items()}


def control_of_matrices(controlled: Method, seed: int) -> Method:
    """Remove as many weights of each matrix as another method, those with the smallest random numbers."""

    def masks(amount: float) -> Masks:
        found = {}
        for index, (name, mask) in enumerate(controlled(amount).items()):
            drawn = cut(_drawn(mask.keep.shape, seed, index).reshape(-1), int((~mask.keep).sum()))
            found[name] = Mask(drawn.keep.reshape(mask.keep.shape), drawn.near.reshape(mask.keep.shape))
        return found

    return masks


def control_of_rows(model: Bert, scope: str | None, seed: int) -> Method:
    """Remove as many weights of each row as Wanda does, those with the smallest random numbers."""
    names = [f"{name}.weight" for name in model.matrices(scope)]
    scores = {name: _drawn(model.weights[name].shape, seed, index) for index, name in enumerate(names)}
    return lambda amount: {name: cut(score, int(amount * score.shape[1])) for name, score in scores.items()}


def _drawn(shape: Sequence[int], seed: int, index: int) -> Array:
    """Draw the random numbers of a scope's matrix, as the engine documents them: float32, from (seed, matrix)."""
    return np.random.default_rng([seed, index]).random(tuple(shape), dtype=np.float32).astype(np.float64)


# ---------------------------------------------------------------- units

Entries = dict[str, int]  # the parameters in which a unit has entries, each with the dimension that counts the units
Kinds = dict[tuple[int, int], Entries]  # by layer and kind of unit

CLEAN_UNITS = (("attention.self.value", "attention.output.dense"), ("intermediate.dense", "output.dense"))
# the matrices that make and that read a layer's context units, and its intermediate units


def clean_units(model: Bert) -> Kinds:
    """List context and intermediate units: row and bias of what makes a unit, column of what reads it."""
    return {
        (k, kind): {f"{layer}{maker}.weight": 0, f"{layer}{maker}.bias": 0, f"{layer}{reader}.weight": 1}
        for k, layer in enumerate(_layers(model))
        for kind, (maker, reader) in enumerate(CLEAN_UNITS)
    }


def hidden_units(model: Bert) -> Kinds:
    """List hidden units with all that the published procedure removes with them."""
    attention = ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]
    columns = [f"{name}.weight" for name in (*attention, "intermediate.dense")]
    rows = [f"{name}.bias" for name in attention] + [
        f"{name}.{part}"
        for name in ("output.dense", "attention.output.LayerNorm", "output.LayerNorm")
        for part in ("weight", "bias")
    ]
    return {
        (k, 0): {**{f"{layer}{name}": 1 for name in columns}, **{f"{layer}{name}": 0 for name in rows}}
        for k, layer in enumerate(_layers(model))
    }


def attribution(model: Bert, calibration: Sequence[Example], gold: Sequence[int]) -> Method:
    """Remove the context and intermediate units with the smallest mean |Σ_t h · ∂P(gold)/∂h|."""
    readers = [f"{layer}{reader}" for layer in _layers(model) for _, reader in CLEAN_UNITS]
    scores = [np.zeros(model.weights[f"{reader}.weight"].shape[1]) for reader in readers]  # each (units,)
    for example, label in zip(calibration, gold, strict=True):
        trace = model.forward(example, differentiable=True)
        probability = torch.softmax(trace.logits, -1)[label]
        values = [trace.inputs[reader] for reader in readers]  # each (T, units)
        for score, signed in zip(scores, _attributions(probability, values), strict=True):
            score += np.abs(signed) / len(gold)
    return _removing(model, clean_units(model), scores)


def attribution_residual(model: Bert, calibration: Sequence[Example], gold: Sequence[int]) -> Method:
    """Remove the hidden units with the smallest |Σ h · ∂(cross-entropy)/∂h| over all tokens, at each layer's output."""
    outputs = [f"layer.{k}.output" for k in range(model.layers)]
    sums = [np.zeros(model.weights["classifier.weight"].shape[1]) for _ in outputs]  # each (hidden,)
    for example, label in zip(calibration, gold, strict=True):
        trace = model.forward(example, differentiable=True)
        loss = -torch.log_softmax(trace.logits, -1)[label]
        for total, signed in zip(sums, _attributions(loss, [trace.states[name] for name in outputs]), strict=True):
            total += signed
    return _removing(model, hidden_units(model), [np.abs(total) for total in sums])


def control_of_units(model: Bert, kinds: Kinds, seed: int) -> Method:
    """Remove as many units of each layer and kind, in the random order of (seed, layer, kind)."""
    orders = []
    for place, entries in kinds.items():
        name, dimension = next(iter(entries.items()))
        size = model.weights[name].shape[dimension]
        orders.append(np.random.default_rng([seed, *place]).permutation(size).astype(np.float64))  # (units,)
    return _removing(model, kinds, orders)


def _attributions(objective: Tensor, values: Sequence[Tensor]) -> Iterator[Array]:
    """Sum h · ∂objective/∂h over the tokens: (T, units) each -> (units,) each."""
    gradients = torch.autograd.grad(objective, values)
    return ((h.detach() * g).sum(0).numpy() for h, g in zip(values, gradients, strict=True))


def _layers(model: Bert) -> list[str]:
    return [f"bert.encoder.layer.{k}." for k in range(model.layers)]


def _removing(model: Bert, kinds: Kinds, scores: Sequence[Array]) -> Method:
    """Remove round(amount · units) of each kind of unit, those with the smallest scores."""

    def masks(amount: float) -> Masks:
        return {
            name: Mask(*(_spread(flags, model.weights[name].shape, dimension) for flags in (mask.keep, mask.near)))
            for units, entries in zip(scores, kinds.values(), strict=True)
            for mask in [cut(units, round(amount * len(units)))]
            for name, dimension in entries.items()
        }

    return masks


def _spread(flags: Flags, shape: Sequence[int], dimension: int) -> Flags:
    """Give every entry of a parameter its unit's flag."""
    sizes = [-1 if d == dimension else 1 for d in range(len(shape))]
    return np.broadcast_to(flags.reshape(sizes), shape)


# ---------------------------------------------------------------- against the engine's


@dataclass(frozen=True)
class Differences:
    """How two masks of all parameters differ.

    Attributes:
        entries: Entries that may be removed.
        near: Entries that differ and lie near the cut.
        far: Entries that differ and do not.
    """

    entries: int
    near: int
    far: int


def differences(ours: Mapping[str, Mask], engine: Mapping[str, Flags]) -> Differences:
    """Count the entries in which the engine's masks differ.

    Args:
        ours: From a `Method`.
        engine: For each parameter the entries that the engine keeps; a parameter that it may not change may be absent.
    """
    near = far = 0
    for name in ours.keys() | engine.keys():
        shape = (ours[name].keep if name in ours else engine[name]).shape
        nothing = np.ones(shape, dtype=bool)
        mask = ours.get(name, Mask(nothing, ~nothing))
        differs = mask.keep != engine.get(name, nothing)
        near += int((differs & mask.near).sum())
        far += int((differs & ~mask.near).sum())
    return Differences(sum(mask.keep.size for mask in ours.values()), near, far)
