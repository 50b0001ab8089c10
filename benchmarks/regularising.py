"""`python -m benchmarks.regularising`: does pruning regularise, and does each block of a layer add less under it?

A regulariser narrows the gap between training and held-out rows at no cost held out. The bundled SST-2 and CoLA
checkpoints are pruned by magnitude, and at random until their layers have changed as much; both are judged on the whole
validation split and on training rows. What only looks like regularising is measured as well: a lower log loss (beside
one temperature, which changes no prediction), and logits that a bag of words explains better. On all bundled
checkpoints it measures how long the update of each block is, beside what it is added to. README.md defines the numbers.
They are written to `cached_results/regularising.json`, of which `benchmarks.verdicts` makes tables.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from pydantic import TypeAdapter
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from benchmarks.pooled import with_interval
from core.command_line import OneLineParser, run_command, use_threads
from core.encoder.architectures import (
    Catcher,
    Tap,
    architecture_of,
    attention_block,
    encoder_layers,
)
from core.encoder.batches import MicroBatch, micro_batches
from core.encoder.loading import Checkpoint, load
from core.findings.choices import task_title
from core.findings.matching import damages_of, frames_at
from core.findings.words import Table
from core.findings.words.numbers import decimals
from core.inputs.examples import EvalSubset, open_examples
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import EMBEDDED, REDUCTION
from core.request.scope import at_attention
from core.request.sweep_request import SweepRequest, checked
from core.results import library, store
from core.results.schema import SweepResult
from core.sweep.meter import Runner, make_plan, silent
from core.sweep.scores import SCORES, Array, Labels

WHOLE = {"sst2": 872, "cola": 1043}  # rows of the validation split
AMOUNTS = (0.1, 0.2, 0.3, 0.4, 0.5)  # by magnitude, where the whole split is run
CHANGES = (0.0, 0.05, 0.1)  # overall changes at which all checkpoints are measured
LEAST = 0.02  # overall change from which random removal is measured: a smaller one hardly changes an answer
UNPRUNED = "unpruned"
PENALTIES = np.logspace(0, 5, 11)  # of the probe; chosen within its training rows
DRAWS = 2_000  # of the bootstrap
TITLES = {
    "score": "Accuracy (SST-2), MCC (CoLA)",
    "gap": "Training rows less held-out",
    "log_loss": "Log loss",
    "tempered": "… at one temperature",
    "bag": "R² of a bag of words",
    "beyond": "… beyond equal spread",
}


@dataclass(frozen=True)
class Row:
    """A model; under random removal, means over the seeds.

    Attributes:
        task: The task's name.
        method: `magnitude`, `random` or UNPRUNED.
        amount: The share of the encoder's weights removed.
        change: The overall change on the shipped results' eval subset.
        updates: (layers, 2) of attention and feed-forward: the mean over tokens of ‖block(x)‖ / ‖x‖.
        estimates: By the names of TITLES, the number, its difference from the unpruned model, and the 95 % interval of
            that; empty where the whole split was not run.
    """

    task: str
    method: str
    amount: float
    change: float
    updates: tuple[tuple[float, float], ...]
    estimates: Mapping[str, tuple[float, float, float, float]]


FILE = library.TableFile("regularising.json", TypeAdapter(tuple[Row, ...]))


def tables(rows: Sequence[Row]) -> list[Table]:
    """Tabulate what models do with held-out rows, and what their blocks add."""
    behaviour, blocks = Table(), Table()
    for row in rows:
        removed, change = f"{decimals(100 * row.amount, 1)} %", decimals(row.change, 3)
        place = {
            "Task": task_title(row.task),
            "Model": row.method,
            "Removed": removed,
            "Overall change": change,
        }
        if row.estimates:
            cells = {
                TITLES[name]: f"{decimals(value, 3)}; {with_interval(interval)}"
                for name, (value, *interval) in row.estimates.items()
            }
            behaviour.append(place | cells)
        attention, feed_forward = (
            " ".join(decimals(of, 2) for of in side) for side in zip(*row.updates, strict=True)
        )
        blocks.append(place | {"Attention adds": attention, "Feed-forward adds": feed_forward})
    return [behaviour, blocks]


# ---------------------------------------------------------------- models at an overall change


def shipped_sweeps(checkpoint: str, fingerprint: str) -> list[SweepResult]:
    """Read a checkpoint's shipped sweeps on an eval subset, one a method and seed, magnitude pruning first."""
    sweeps: dict[tuple[str, int], SweepResult] = {}
    for entry in library.shipped(library.Entry):
        place = entry.checkpoint, entry.fingerprint, entry.scope, entry.controls or entry.method
        if place == (checkpoint, fingerprint, "encoder", "magnitude") and at_attention(
            entry.points
        ):
            sweep, key = (
                store.load(store.SHIPPED_RESULTS / f"{entry.key}.json.gz"),
                (entry.method, entry.seed),
            )
            sweeps[key] = min(
                sweeps.get(key, sweep), sweep, key=lambda sweep: sweep.amounts[1]
            )  # the smaller steps
    return [sweep for _, sweep in sorted(sweeps.items())]


def steps(
    checkpoint: Checkpoint, inputs: Inputs, sweeps: Sequence[SweepResult], changes: Sequence[float]
) -> Iterator[tuple[str, float, float, Runner]]:
    """Prune a checkpoint to the overall changes of sweeps, ascending from 0; unpruned comes once, first.

    Yields:
        The method, the overall change, the amount, and what runs the model as currently pruned.
    """
    for sweep in sweeps:
        amounts = tuple(
            round(frame.amount, 6) for frame in frames_at(sweep, REDUCTION, tuple(changes))
        )
        method, seed, controls = sweep.pruning.method, sweep.pruning.seed, sweep.pruning.controls
        request = checked(
            replace(inputs.request, method=method, seed=seed, control_of=controls, amounts=amounts)
        )
        with Runner(
            checkpoint, inputs.subset, request, make_plan(checkpoint, None, request, silent)
        ) as runner:
            if sweep is sweeps[0]:
                yield UNPRUNED, 0.0, 0.0, runner
            for change, amount in zip(changes, amounts, strict=True):
                if change and (change >= LEAST or method == "magnitude"):
                    runner.model.prune(amount)
                    yield method, change, amount, runner


# ---------------------------------------------------------------- forward passes


class Pass(NamedTuple):
    """One model's forward passes.

    Attributes:
        held: (n, labels) logits of the held-out rows.
        trained: (m, labels) logits of the training rows.
        updates: See `Row`, (layers, 2).
    """

    held: Array
    trained: Array
    updates: Array


def run(runner: Runner, training: Sequence[MicroBatch]) -> Pass:
    """Run a model as currently pruned on the held-out and the training rows."""
    buffers, model, taps, ratios = (
        runner.buffers(),
        runner.checkpoint.model,
        list[Tap](),
        list[Tensor](),
    )
    paths = architecture_of(model)
    for layer in encoder_layers(
        model
    ):  # of each block: what its update is added to, and the update
        first, second = (
            layer.get_submodule(path) for path in (paths.attention_dense, paths.output)
        )
        taps += [
            Tap(layer, "input"),
            Tap(first, "output"),
            attention_block(model, layer),
            Tap(second, "output"),
        ]
    batches = iter([batch for window in runner.windows for batch in window.micro_batches])
    with Catcher(model, taps) as catcher:

        def compare() -> None:
            real = next(batches).real  # (micro-batch, longest)
            norms = torch.stack(
                [state[real].norm(dim=-1) for state in catcher.states]
            )  # (4 · layers, tokens)
            ratios.append(norms[1::2] / norms[::2])  # (2 · layers, tokens)

        for window in runner.windows:
            runner.run(window, buffers, compare)
    trained = torch.zeros(
        sum(len(batch.examples) for batch in training), buffers.logits.shape[1]
    )  # (m, labels)
    for batch in training:
        trained[batch.examples] = runner.recorder.run(batch)
    updates = torch.cat(ratios, 1).double().mean(1).view(-1, 2).numpy()
    return Pass(buffers.logits.double().numpy(), trained.double().numpy(), updates)


# ---------------------------------------------------------------- numbers


def row_losses(logits: Array, gold: Labels) -> Array:
    """Compute -log p of the gold label, (n, labels), (n,) -> (n,)."""
    return np.asarray(-log_softmax(logits, -1)[np.arange(len(gold)), gold])


def temperature(logits: Array, gold: Labels) -> float:
    """Find the number by which to divide logits (n, labels) for the smallest log loss."""
    return float(
        np.exp(
            minimize_scalar(lambda log: row_losses(logits / np.exp(log), gold).mean(), (-1, 1)).x
        )
    )


def tempered_losses(logits: Array, gold: Labels) -> Array:
    """Compute each half's row losses at the temperature of the other half, (n, labels), (n,) -> (n,)."""
    losses = np.empty(len(gold))  # (n,)
    for half, other in ((0, 1), (1, 0)):
        divisor = temperature(logits[other::2], gold[other::2])
        losses[half::2] = row_losses(logits[half::2] / divisor, gold[half::2])
    return losses


def explained(features: Array, targets: Array) -> Array:
    """Predict targets (targets, n) from features (n, features) by ridge regression, cross-validated in ten parts."""
    ridge = make_pipeline(StandardScaler(), RidgeCV(PENALTIES, alpha_per_target=True))
    return np.asarray(cross_val_predict(ridge, features, targets.T, cv=10)).T


class Answers:
    """What models do with n held-out and m training rows; the first model is the unpruned one.

    Args:
        models: Their passes.
        gold: (n,) labels of the held-out rows.
        trained_gold: (m,) labels of the training rows.
        bags: (n, hidden) bags of words of the held-out rows.
        metric: A name from `core.sweep.scores.SCORES`.
    """

    def __init__(
        self, models: Sequence[Pass], gold: Labels, trained_gold: Labels, bags: Array, metric: str
    ) -> None:
        self._gold, self._trained_gold, self._score = gold, trained_gold, SCORES[metric]
        held = np.stack([model.held for model in models])  # (models, n, labels)
        self._predicted = held.argmax(-1)  # (models, n)
        self._trained = np.stack([model.trained.argmax(-1) for model in models])  # (models, m)
        self._losses = np.stack([row_losses(logits, gold) for logits in held])  # (models, n)
        self._tempered = np.stack([tempered_losses(logits, gold) for logits in held])  # (models, n)
        margins = held[..., 1] - held[..., 0]  # (models, n)
        alike = np.sort(margins)[
            :, margins[0].argsort().argsort()
        ]  # (models, n) in the unpruned model's order
        self._targets = np.stack([margins, alike], 1)  # (models, 2, n)
        self._explained = explained(bags, self._targets.reshape(-1, len(gold))).reshape(
            self._targets.shape
        )

    def numbers(self, model: int, rows: Labels, trained_rows: Labels) -> Array:
        """Compute what TITLES name, in their order, of a model from some of the rows."""
        score = self._score(self._gold[rows], self._predicted[model, rows])
        trained = self._score(self._trained_gold[trained_rows], self._trained[model, trained_rows])
        bag, alike = map(r2_score, self._targets[model][:, rows], self._explained[model][:, rows])
        losses = self._losses[model, rows].mean(), self._tempered[model, rows].mean()
        return np.array([score, trained - score, *losses, bag, bag - alike])

    def estimates(self, models: Sequence[int]) -> dict[str, tuple[float, float, float, float]]:
        """Estimate the numbers of models that are seeds of one; a bootstrap draws seeds, held-out and training rows."""
        everything = np.arange(len(self._gold)), np.arange(len(self._trained_gold))
        random, seeds = np.random.default_rng(0), np.array(models)

        def drawn(indices: Labels) -> Labels:
            return indices[random.integers(len(indices), size=len(indices))]

        def differences(seeds: Labels, *rows: Labels) -> Array:
            return np.mean([self.numbers(seed, *rows) for seed in seeds], axis=0) - self.numbers(
                0, *rows
            )

        draws = [
            differences(drawn(seeds), *map(drawn, everything)) for _ in range(DRAWS)
        ]  # each (numbers,)
        value = np.mean([self.numbers(seed, *everything) for seed in seeds], axis=0)  # (numbers,)
        columns = (
            value,
            differences(seeds, *everything),
            *np.quantile(draws, [0.025, 0.975], axis=0),
        )
        return dict(zip(TITLES, map(tuple, np.column_stack(columns).tolist()), strict=True))


def bags_of(checkpoint: Checkpoint, subset: EvalSubset) -> Array:
    """Average the word embeddings of each sentence's own tokens -> (n, hidden)."""
    embeddings = checkpoint.model.get_input_embeddings().weight.detach().double().numpy()  # type: ignore[operator]
    encoded = checkpoint.tokenizer([text for (text,) in subset.texts], add_special_tokens=False)[
        "input_ids"
    ]
    return np.stack([embeddings[tokens].mean(0) for tokens in encoded])


# ---------------------------------------------------------------- command line


def measured(name: str, data: str) -> Iterator[Row]:
    """Measure a bundled checkpoint, whose GLUE data lie in a folder."""
    task, changes, training = EMBEDDED[name].task, list(CHANGES), None
    request = checked(
        SweepRequest(name, task, points="layer", data="written" if task == "messages" else data)
    )
    inputs = prepare(request)
    checkpoint, sweeps = (
        load(inputs.resolved),
        shipped_sweeps(name, inputs.subset.record.fingerprint),
    )
    if task in WHOLE:
        inputs = prepare(checked(replace(request, num_examples=WHOLE[task])))
        training = open_examples(inputs.request, inputs.resolved.label_names).calibration(
            inputs.subset
        )
        changes += np.interp(AMOUNTS, sweeps[0].amounts, damages_of(sweeps[0], REDUCTION)).tolist()
    batches = micro_batches(checkpoint.tokenizer, training.texts) if training else []
    models, removed, groups = (
        list[Pass](),
        list[float](),
        defaultdict[tuple[str, float], list[int]](list),
    )
    for method, change, amount, runner in steps(checkpoint, inputs, sweeps, sorted(changes)):
        groups[method, change].append(len(models))
        models.append(run(runner, batches))
        removed.append(amount)
    answers = None
    if training:
        gold, trained_gold = (np.array(subset.record.gold) for subset in (inputs.subset, training))
        bags, metric = bags_of(checkpoint, inputs.subset), inputs.subset.task.main_metric
        answers = Answers(models, gold, trained_gold, bags, metric)
    for (method, change), seeds in groups.items():
        updates = np.mean([models[seed].updates for seed in seeds], axis=0).tolist()  # (layers, 2)
        estimates = answers.estimates(seeds) if answers else {}
        amount = float(np.mean([removed[seed] for seed in seeds]))
        yield Row(task, method, amount, change, tuple(map(tuple, updates)), estimates)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all bundled checkpoints and write the file.

    Raises:
        PrunescopeError: The data are missing.
    """
    parser = OneLineParser(prog="python -m benchmarks.regularising", description=__doc__)
    parser.add_argument(
        "--data", required=True, help="a folder in the Hub's GLUE layout, with training splits"
    )
    parser.add_threads()
    options = parser.parse_args(arguments)
    use_threads(options.threads)
    FILE.write(row for name in EMBEDDED for row in measured(name, options.data))
    return 0


if __name__ == "__main__":
    run_command(main)
