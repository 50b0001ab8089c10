"""Predict the labels of one typed sentence or pair at every pruning amount.

The plan is made once, each amount is pruned in place, and the model is restored at the end. Methods that score
examples use the written calibration examples.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from core.encoder.batches import tokenised
from core.encoder.loading import Checkpoint, borrow
from core.encoder.representations import check_finite
from core.inputs.checkpoints import check_same_content
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.pruning import Plan, PrunedModel
from core.request.catalog import MAX_LENGTH, TASKS
from core.request.sweep_request import SweepRequest, check_scope
from core.results.names import amount_name
from core.results.prediction import Prediction, check_texts
from core.sweep.runner import make_plan


def predict(request: SweepRequest, revision: str, texts: Sequence[str], report: Report) -> Prediction:
    """Compute the probability of every label at every amount.

    Args:
        request: Checkpoint, task, method, scope, seed and amounts, on data with calibration examples.
        revision: The checkpoint's content, as the result beside the text names it.
        texts: One for each of the task's columns.
        report: Called with (stage, done, total); an exception that it raises ends the prediction, unchanged.

    Raises:
        PrunescopeError: A text is refused, the checkpoint's content has changed, checkpoint, task and scope do not fit
            together, or logits are not finite.
    """
    task = TASKS[request.task]
    checked_texts = check_texts(texts, task)
    inputs = prepare(request, report)
    check_same_content(inputs.resolved, request.checkpoint, revision)
    with borrow(inputs.resolved) as checkpoint:
        check_scope(request.scope, request.method, checkpoint.record.num_layers)
        plan = make_plan(checkpoint, inputs.calibration, request, report)
        encoded = _encode(checkpoint, checked_texts, truncation=True, max_length=MAX_LENGTH)
        whole = _encode(checkpoint, checked_texts, truncation=False)
        return Prediction(
            amounts=request.amounts,
            labels=task.label_names,
            probabilities=tuple(_probabilities(checkpoint, plan, encoded, request.amounts, report)),
            num_tokens=whole["input_ids"].shape[1],
            num_unknown=int((encoded["input_ids"] == checkpoint.tokenizer.unk_token_id).sum()),
        )


def _encode(checkpoint: Checkpoint, texts: Sequence[str], **options: Any) -> dict[str, torch.Tensor]:
    """Tokenise one example, each tensor (1, tokens) int64; `verbose=False`: the page warns of long texts itself."""
    return dict(tokenised(checkpoint.tokenizer, *texts, return_tensors="pt", verbose=False, **options))


def _probabilities(
    checkpoint: Checkpoint, plan: Plan, encoded: dict[str, torch.Tensor], amounts: Sequence[float], report: Report
) -> Iterator[tuple[float, ...]]:
    """Yield the probability of each label, amount by amount."""
    with PrunedModel(checkpoint.model, plan) as pruned, torch.inference_mode():
        for done, amount in enumerate(amounts):
            report(f"{amount_name(amount)} removed", done, len(amounts))
            pruned.prune(amount)
            logits = checkpoint.model(**encoded).logits  # (1, labels)
            check_finite(logits, checkpoint.record.id)
            yield tuple(logits.double().softmax(-1)[0].tolist())
