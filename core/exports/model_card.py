"""The README of a pruned checkpoint: where it comes from, what was removed, how well it classifies."""

from huggingface_hub import ModelCardData

from core.request.amounts import amount_text
from core.request.catalog import METHODS
from core.results.names import amount_name, checkpoint_name, data_name, method_name, pruning_name
from core.results.provenance import recipe, task_of
from core.results.schema import Frame, SweepResult
from core.results.score_table import score_table


def model_card(result: SweepResult, frame: Frame, licence: str | None) -> str:
    """Write the README of a pruned checkpoint: base, method, amount, sparsity, scores, command.

    Args:
        result: The sweep.
        frame: The frame whose weights the folder holds.
        licence: The base's, where it is known.
    """
    checkpoint, task, method = result.checkpoint, task_of(result.task), METHODS[result.pruning.method]
    on_hub = checkpoint.source == "hub"
    metadata = ModelCardData(
        license=licence,
        base_model=checkpoint.id if on_hub else None,
        metrics=list(frame.metrics),
        pipeline_tag="text-classification",
        tags=["pruned", method.name],
    )
    made_by = recipe(result)
    calibration = result.pruning.calibration
    scored_on = (
        f" Scores were computed on {calibration.num_examples} examples, {calibration.source_name}."
        if calibration
        else ""
    )
    return f"""---
{metadata.to_yaml()}
---

# {checkpoint_name(result)}, pruned by {amount_name(frame.amount)}

{pruning_name(result)}, written by Prunescope. {task.title}: {task.question} The labels are in the order
{", ".join(result.task.label_names)}.

## Base

`{checkpoint.id}`, {"revision" if on_hub else "content"} `{checkpoint.revision}`, {checkpoint.architecture},
{checkpoint.num_layers} layers, hidden size {checkpoint.hidden_size}. {"" if licence else "Its own licence applies."}

## Pruning

{method_name(result)}: {method.explanation}{scored_on}

| | |
|---|---|
| method | {method.name} |
| scope | {result.pruning.scope or "-"} |
| seed | {result.pruning.seed if method.is_control else "-"} |
| amount | {amount_text(frame.amount)} |
| sparsity: removed / all parameters | {frame.sparsity:.4f} |
| prunable sparsity: removed / all encoder matrix weights | {frame.prunable_sparsity:.4f} |

Removed weights are zeros in dense float32 tensors: the model is neither smaller nor faster than its base. It was not
trained after pruning.

## Scores

On {data_name(result)}:

{score_table(frame)}

## How it was computed

```shell
{made_by.script}
```

{made_by.missing}

The result's key is `{result.key}`.
"""
