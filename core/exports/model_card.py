"""Write the README of a pruned or a smaller checkpoint: its base, what was removed, and its scores."""

from huggingface_hub import ModelCardData

from core.findings.cut import CutChoice
from core.findings.words.cut import choice_name, machine_name
from core.findings.words.numbers import decimals
from core.request.amounts import amount_text
from core.request.catalog import METHODS
from core.results.cut import CutStudy, Result, Worth
from core.results.fields import Bounds
from core.results.names import amount_name, checkpoint_name, data_name, in_sentence, pruning_name
from core.results.provenance import recompute_script, task_of
from core.results.schema import Frame, SweepResult

LOADING = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder!r}
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32")
tokenizer = AutoTokenizer.from_pretrained(folder)"""


def model_card(result: SweepResult, frame: Frame, licence: str | None) -> str:
    """Write the card of a pruned checkpoint.

    Args:
        result: The sweep.
        frame: The frame whose weights the folder holds.
        licence: The base's; None if it is unknown.
    """
    pruning, method, commands = result.pruning, METHODS[result.pruning.method], recompute_script(result)
    by = pruning.calibration
    scored = f", scored on {by.num_examples} examples, {by.source_name}" if by else ""
    by_layer = ", ".join(f"{share:.4f}" for share in frame.layer_sparsity)
    return f"""{_beginning(result, frame, pruning.method, licence)}, pruned by {amount_name(frame.amount)}

{pruning_name(result)}{scored}, written by Prunescope. {method.explanation} Removed weights are zeros in place:
the model is as large and as fast as its base. It was not trained after pruning.
{_question(result)}

{_base(result, licence)}
| method, scope, seed | {pruning.method}, {pruning.scope or "-"}, {pruning.seed if method.is_random else "-"} |
| amount | {amount_text(frame.amount)} |
| sparsity: removed / all parameters | {frame.sparsity:.4f} |
| prunable sparsity: removed / all encoder matrix weights | {frame.prunable_sparsity:.4f} |
| the same of each layer | {by_layer} |

On {data_name(result)}:

{score_table(frame)}

This computes the result, whose key is `{result.key}`.

```shell
{commands}
```
"""


def cut_card(study: CutStudy, choice: CutChoice, folder: str, licence: str | None) -> str:
    """Write the card of a smaller model.

    Args:
        study: The study.
        choice: One of the models that it offers.
        folder: The name of the model's folder.
        licence: The base's; None if it is unknown.
    """
    size, full, refit, depth = choice.depth.size, study.full_size, study.refit, study.checkpoint.num_layers
    compared = {f"{study.task.main_metric}, beside the base": choice.difference}
    compared |= {f"times as fast, batch of {batch}": times for batch, times in size.speeds.items()}
    rows = "\n".join(_row(name, figure.value, (figure.low, figure.high)) for name, figure in compared.items())
    return f"""{_beginning(study, choice.depth.saved, "cut", licence)}, made smaller

Written by Prunescope. Really removed: {in_sentence(choice_name(choice, depth))} of {depth}, counted from 1. What
remains was refitted on {refit.refit + refit.stop} rows of {refit.source_name}, {refit.split}.
{_question(study)}

```python
{LOADING.format(folder=folder)}
```

{_base(study, licence)}
| bytes | {size.bytes:,}, of the base {full.bytes:,} |
| parameters | {size.parameters:,}, of the base {full.parameters:,} |

On {data_name(study)}, which took no part in refitting. Timed in float32 with {machine_name(study)}.

{score_table(choice.depth.saved)}
{rows}

The key of the study is `{study.key}`.
"""


def _beginning(result: Result, scored: Frame | Worth, tag: str, licence: str | None) -> str:
    """Write the metadata and the first words of the title."""
    base = result.checkpoint.id if result.checkpoint.source == "hub" else None
    fields = {"pipeline_tag": "text-classification", "metrics": list(scored.metrics), "tags": ["pruned", tag]}
    metadata = ModelCardData(license=licence, base_model=base, **fields)
    return f"---\n{metadata.to_yaml()}\n---\n\n# {checkpoint_name(result)}"


def _question(result: Result) -> str:
    task = task_of(result.task)
    return f"{task.title}: {task.question} The labels are in the order {', '.join(result.task.label_names)}."


def _base(result: Result, licence: str | None) -> str:
    checkpoint, revision = result.checkpoint, "revision" if result.checkpoint.source == "hub" else "content"
    return f"""| | |
|---|---|
| base | `{checkpoint.id}`, {revision} `{checkpoint.revision}`, {checkpoint.architecture} |
| licence | {licence or "that of the base"} |"""


def score_table(scored: Frame | Worth) -> str:
    """Tabulate every metric with its value and 95 % interval."""
    rows = (_row(name, value, scored.intervals.get(name)) for name, value in scored.metrics.items())
    return "\n".join(("| metric | value | 95 % interval |", "|---|---|---|", *rows))


def _row(name: str, value: float | None, interval: Bounds | None) -> str:
    ends = " to ".join(decimals(end, 3) for end in interval) if interval else "unknown"
    return f"| {name.replace('_', ' ')} | {'undefined' if value is None else decimals(value, 4)} | {ends} |"
