"""Predict the labels of one typed sentence or pair at every pruning amount.

The plan is made once, each amount is pruned in place, and the model is restored at the end. Methods that score
examples use the written calibration examples.
"""

from collections.abc import Sequence

import torch

from core.encoder.batches import tokenised
from core.encoder.loading import borrow
from core.encoder.representations import check_finite
from core.inputs.hub import Report
from core.inputs.prepare import prepare
from core.pruning import PrunedModel
from core.request.catalog import MAX_LENGTH, TASKS
from core.request.sweep_request import SweepRequest, check_scope
from core.request.tasks import check_texts
from core.results.names import stage_name
from core.results.prediction import Prediction
from core.sweep.meter import make_plan
from core.sweep.origin import check_same_content


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
        options = {"return_tensors": "pt", "verbose": False}  # the page warns of long texts itself
        whole = tokenised(checkpoint.tokenizer, *checked_texts, **options)  # each tensor (1, tokens) int64
        encoded = tokenised(checkpoint.tokenizer, *checked_texts, truncation=True, max_length=MAX_LENGTH, **options)
        probabilities = []
        with PrunedModel(checkpoint.model, plan) as pruned, torch.inference_mode():
            for done, amount in enumerate(request.amounts):
                report(stage_name(amount), done, len(request.amounts))
                pruned.prune(amount)
                logits = checkpoint.model(**encoded).logits  # (1, labels)
                check_finite(logits, checkpoint.record.id)
                probabilities.append(tuple(logits.double().softmax(-1)[0].tolist()))
        return Prediction(
            amounts=request.amounts,
            labels=task.label_names,
            probabilities=tuple(probabilities),
            num_tokens=whole["input_ids"].shape[1],
            num_unknown=int((encoded["input_ids"] == checkpoint.tokenizer.unk_token_id).sum()),
        )
