"""`python -m benchmarks.subsets`: which of six layers may stay, once the others are gone and the rest is refitted?

All 64 subsets of the layers of four bundled checkpoints are compared by the linear probe of a study of cuts, on the
study's own rows. Those that four rules choose are also refitted, as a study refits the lowest layers. README.md defines
the rules. The scores are written to `cached_results/subsets-of-layers.json`, which `benchmarks.verdicts` tabulates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pydantic import TypeAdapter

from core.command_line import OneLineParser, run_command, use_threads
from core.encoder.batches import micro_batches
from core.encoder.loading import load, stored_dtype
from core.encoder.representations import fast_linear
from core.findings.choices import task_title
from core.findings.words import Table
from core.findings.words.numbers import decimals
from core.inputs.cut_rows import prepare_cut
from core.inputs.texts import Texts
from core.pruning.cut import cut
from core.request.cut_request import CutRequest
from core.request.sweep_request import checked
from core.results import library
from core.sweep.scores import SCORES
from core.training.loop import soft_targets
from core.training.probe import probe
from core.training.refit import Refitting

LAYERS = "012345"  # a subset is named by the layers that stay, such as `0123`
COUNTS = (4, 3)  # of layers that stay under the rules


@dataclass(frozen=True)
class Row:
    """The subsets of a checkpoint's layers.

    Attributes:
        task: The task's name.
        cosines: (layers,) the mean cosine of what enters a layer and what leaves it, over tokens of the rows to fit.
        scores: By subset, scores by the task's main metric. `left`: of the model as it was left, whose classifier reads
            what it never saw. `held`: of a linear probe on the mean of the tokens. `saved`: of the refitted model, if a
            rule chooses the subset.
    """

    task: str
    cosines: list[float]
    scores: dict[str, dict[str, float]]


FILE = library.TableFile("subsets-of-layers.json", TypeAdapter(tuple[Row, ...]))


def choices(row: Row, count: int) -> dict[str, str]:
    """Choose layers that stay, by four rules; the last one knows the judged rows."""
    ranked = sorted(LAYERS, key=lambda layer: row.cosines[int(layer)])  # from the least alike
    return {
        "Lowest stay": LAYERS[:count],
        "Every second goes": "".join(
            sorted({*LAYERS}.difference(LAYERS[::-2][: len(LAYERS) - count]))
        ),
        "Most alike go": "".join(sorted(ranked[:count])),
        "Best in hindsight": max(
            (s for s in row.scores if len(s) == count), key=lambda s: row.scores[s]["held"]
        ),
    }


def table(rows: Sequence[Row]) -> Table:
    """Tabulate what the rules choose: the layers, and their scores as left, held and saved."""
    lines = []
    for row, count in ((row, count) for row in rows for count in COUNTS):
        full = decimals(row.scores[LAYERS]["left"], 3)
        lines.append({"Task": task_title(row.task), "Full model": full, "Layers": str(count)})
        for rule, subset in choices(row, count).items():
            scores = ", ".join(decimals(score, 3) for score in row.scores[subset].values())
            lines[-1][rule] = f"{' '.join(str(int(layer) + 1) for layer in subset)}: {scores}"
    return lines


@torch.no_grad()
def run(
    checkpoint: Any, texts: Texts, fitted: int
) -> tuple[dict[str, tuple[Any, Any]], list[float]]:
    """Run all subsets of a BERT's layers in one pass; those that begin alike share what they begin with.

    Args:
        checkpoint: The full model.
        texts: The rows.
        fitted: The number of rows to fit, which come first.

    Returns:
        By subset, the logits, (rows, labels), and the mean of the tokens, (rows, hidden); and the cosines of `Row`.
    """
    model, cosines = checkpoint.model, list[torch.Tensor]()  # each (layers, tokens)
    logits, means = (
        torch.empty(2**6, len(texts), width)
        for width in (model.num_labels, model.config.hidden_size)
    )
    with fast_linear():
        for batch in micro_batches(checkpoint.tokenizer, texts):
            mask = torch.where(batch.real, 0.0, torch.finfo().min)[
                :, None, None
            ]  # (micro-batch, 1, 1, longest)
            states = {
                "": model.bert.embeddings(batch.inputs["input_ids"], batch.inputs["token_type_ids"])
            }
            for name, layer in zip(LAYERS, model.bert.encoder.layer, strict=True):
                states |= {subset + name: layer(state, mask) for subset, state in states.items()}
            for k, state in enumerate(states.values()):
                logits[k, batch.examples] = model.classifier(model.bert.pooler(state))
                means[k, batch.examples] = (state * batch.real[..., None]).sum(1) / batch.lengths[
                    :, None
                ]
            tokens = batch.real & (batch.examples < fitted)[:, None]  # (micro-batch, longest)
            path = torch.stack(
                [states[LAYERS[:k]][tokens] for k in range(len(LAYERS) + 1)]
            )  # of the full model
            cosines.append(torch.cosine_similarity(path[:-1], path[1:], -1))
    by_subset = dict(zip(states, zip(logits, means.numpy(), strict=True), strict=True))
    return by_subset, torch.cat(cosines, 1).mean(1).tolist()


def measured(task: str, data: str) -> Row:
    """Measure the subsets of a bundled checkpoint's layers; GLUE's data lie in a folder."""
    inputs = prepare_cut(checked(CutRequest(f"embedded:{task}", task, data=data)))
    checkpoint, how, labels = load(inputs.resolved), inputs.record.training, np.array(inputs.labels)
    texts, fitted = inputs.texts, len(labels)
    by_subset, cosines = run(checkpoint, texts, fitted)
    row, targets = Row(task, cosines, {}), soft_targets(by_subset[LAYERS][0], how.temperature)

    def score(predicted: Any) -> float:
        return float(
            SCORES[inputs.subset.record.main_metric](
                np.array(inputs.subset.record.gold), np.array(predicted)
            )
        )

    for subset, (logits, means) in by_subset.items():
        held = score(probe(means[:fitted], labels, means[fitted:]))
        row.scores[subset] = {"left": score(logits[fitted:].argmax(-1)), "held": held}
    trained, stop, judged = inputs.numbers
    for subset in {subset for count in COUNTS for subset in choices(row, count).values()}:
        small = checkpoint._replace(model=cut(checkpoint.model, [*map(int, subset)]))
        refitting = Refitting(small, texts, stored_dtype(inputs.resolved))
        made = refitting.refit(len(subset), targets, (trained, stop), judged, how, lambda _: None)
        row.scores[subset]["saved"] = score(made.logits.argmax(-1))
    return row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure four checkpoints and write the file.

    Raises:
        PrunescopeError: The data are missing.
    """
    parser = OneLineParser(prog="python -m benchmarks.subsets", description=__doc__)
    parser.add_argument(
        "--data", required=True, help="a folder in the Hub's GLUE layout, with training splits"
    )
    parser.add_threads()
    options = parser.parse_args(arguments)
    use_threads(options.threads)
    FILE.write(measured(task, options.data) for task in ("sst2", "cola", "qnli", "qqp"))
    return 0


if __name__ == "__main__":
    run_command(main)
