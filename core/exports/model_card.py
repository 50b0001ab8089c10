"""The README of a pruned checkpoint: where it comes from, what was removed, how well it classifies."""

from huggingface_hub import ModelCardData

from core.request.amounts import amount_text
from core.request.catalog import METHODS
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
    checkpoint, pruning, method = result.checkpoint, result.pruning, METHODS[result.pruning.method]
    on_hub, task, made_by = checkpoint.source == "hub", task_of(result.task), recipe(result)
    known = {"pipeline_tag": "text-classification", "metrics": list(frame.metrics), "tags": ["pruned", pruning.method]}
    metadata = ModelCardData(license=licence, base_model=checkpoint.id if on_hub else None, **known)
    by = pruning.calibration
    scored = f", scored on {by.num_examples} examples, {by.source_name}" if by else ""
    return f"""---
{metadata.to_yaml()}
---

# {checkpoint_name(result)}, pruned by {amount_name(frame.amount)}

{pruning_name(result)}{scored}, written by Prunescope. {method.explanation} Removed weights are zeros in place:
the model is as large and as fast as its base. It was not trained after pruning.
{task.title}: {task.question} The labels are in the order {", ".join(result.task.label_names)}.

| | |
|---|---|
| base | `{checkpoint.id}`, {"revision" if on_hub else "content"} `{checkpoint.revision}`, {checkpoint.architecture} |
| licence | {licence or "that of the base"} |
| method, scope, seed | {pruning.method}, {pruning.scope or "-"}, {pruning.seed if method.is_control else "-"} |
| amount | {amount_text(frame.amount)} |
| sparsity: removed / all parameters | {frame.sparsity:.4f} |
| prunable sparsity: removed / all encoder matrix weights | {frame.prunable_sparsity:.4f} |

On {data_name(result)}:

{score_table(frame)}

This computes the result, whose key is `{result.key}`. {made_by.missing}

```shell
{made_by.script}
```
"""


def score_table(frame: Frame) -> str:
    """Tabulate every metric with its value and its 95 % interval."""
    rows = ["| metric | value | 95 % interval |", "|---|---|---|"]
    for name, value in frame.metrics.items():
        interval = frame.intervals.get(name)
        ends = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else "unknown"
        rows.append(f"| {name.replace('_', ' ')} | {'undefined' if value is None else f'{value:.4f}'} | {ends} |")
    return "\n".join(rows)
