"""The README of a pruned checkpoint: where it comes from, what was removed, how well it classifies."""

from huggingface_hub import ModelCardData

from core.findings.cut import Judge, estimated
from core.findings.words.cut import layers_words, machine_name
from core.findings.words.numbers import decimals
from core.request.amounts import amount_text
from core.request.catalog import METHODS
from core.results.cut import Cut, CutStudy, Result, Worth, unpacked
from core.results.fields import Bounds
from core.results.names import amount_name, checkpoint_name, data_name, pruning_name
from core.results.provenance import recipe, task_of
from core.results.schema import Frame, SweepResult


def model_card(result: SweepResult, frame: Frame, licence: str | None) -> str:
    """Write the README of a pruned checkpoint: base, method, amount, sparsity, scores, command.

    Args:
        result: The sweep.
        frame: The frame whose weights the folder holds.
        licence: The base's, where it is known.
    """
    pruning, method, made_by = result.pruning, METHODS[result.pruning.method], recipe(result)
    by = pruning.calibration
    scored = f", scored on {by.num_examples} examples, {by.source_name}" if by else ""
    lost = ", ".join(f"{share:.4f}" for share in frame.layer_sparsity)
    return f"""{_metadata(result, frame, pruning.method, licence)}
# {checkpoint_name(result)}, pruned by {amount_name(frame.amount)}

{pruning_name(result)}{scored}, written by Prunescope. {method.explanation} Removed weights are zeros in place:
the model is as large and as fast as its base. It was not trained after pruning.
{_question(result)}

{_base(result, licence)}
| method, scope, seed | {pruning.method}, {pruning.scope or "-"}, {pruning.seed if method.is_random else "-"} |
| amount | {amount_text(frame.amount)} |
| sparsity: removed / all parameters | {frame.sparsity:.4f} |
| prunable sparsity: removed / all encoder matrix weights | {frame.prunable_sparsity:.4f} |
| the same of each layer | {lost} |

On {data_name(result)}:

{score_table(frame)}

This computes the result, whose key is `{result.key}`. {made_by.missing}

```shell
{made_by.script}
```
"""


def cut_card(study: CutStudy, smaller: Cut, folder: str, size: tuple[int, int], licence: str | None) -> str:
    """Write the README of a smaller model: base, what is out, how to load it, size, scores, speed, command.

    Args:
        study: The study.
        smaller: One of the models that it offers.
        folder: The name of what it is written to.
        size: Bytes of configuration, tokenizer and weights, and parameters.
        licence: The base's, where it is known.
    """
    depth, worth, base, made_by = study.checkpoint.num_layers, smaller.worth, study.full.size, recipe(study)
    assert worth is not None  # it is offered
    gone = [layer for layer in range(depth) if layer not in smaller.layers]
    out = [f"{layers_words(gone, depth)} of {depth}, counted from 1"] if gone else []
    asked = f"--layers {depth - len(gone)}"
    if smaller.share:
        left = len(unpacked(smaller.kept[0]))
        out.append(f"{amount_name(smaller.share)} of the feed-forward units of each layer: {left} are left")
        asked += f" --width {amount_text(smaller.share)}"
    metric, by = study.task.main_metric, study.calibration
    values = Judge(study).values([study.full.judged, smaller.judged])  # (2, 1 + draws)
    beside = [(f"{metric}, beside the base", estimated(values[1] - values[0]))]
    speeds = smaller.size.speeds if smaller.size else {}
    beside += [(f"times as fast, batch of {batch}", times) for batch, times in speeds.items()]
    beside = [("predictions that differ from the base's", worth.changed), *beside]
    rows = "\n".join(_row(name, found.value, (found.low, found.high)) for name, found in beside)
    timed = f"Timed in float32 with {machine_name(study)}." if speeds else ""
    return f"""{_metadata(study, worth, "cut", licence)}
# {checkpoint_name(study)}, made smaller

Written by Prunescope. Really removed: {"; ".join(out)}. The choice was made on {len(by.examples)} examples of
{by.source_name}, {by.split}. It was not trained after that.
{_question(study)}

```python
from transformers import AutoModelForSequenceClassification, AutoTokenizer
model = AutoModelForSequenceClassification.from_pretrained("{folder}", dtype="float32")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```

{_base(study, licence)}
| bytes | {size[0]:,}{f", of the base {base.bytes:,}" if base else ""} |
| parameters | {size[1]:,}, of the base {study.checkpoint.num_parameters:,} |

On {data_name(study)}, which took no part in choosing. {timed}

{score_table(worth)}
{rows}

This makes the study, whose key is `{study.key}`, and this folder. {made_by.missing}

```shell
{made_by.script} {asked} --save ./SMALLER
```
"""


def _metadata(result: Result, scored: Frame | Worth, tag: str, licence: str | None) -> str:
    base = result.checkpoint.id if result.checkpoint.source == "hub" else None
    known = {"pipeline_tag": "text-classification", "metrics": list(scored.metrics), "tags": ["pruned", tag]}
    return f"---\n{ModelCardData(license=licence, base_model=base, **known).to_yaml()}\n---\n"


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
    """Tabulate every metric with its value and its 95 % interval."""
    rows = (_row(name, value, scored.intervals.get(name)) for name, value in scored.metrics.items())
    return "\n".join(("| metric | value | 95 % interval |", "|---|---|---|", *rows))


def _row(name: str, value: float | None, interval: Bounds | None) -> str:
    ends = " to ".join(decimals(end, 3) for end in interval) if interval else "unknown"
    return f"| {name.replace('_', ' ')} | {'undefined' if value is None else decimals(value, 4)} | {ends} |"
