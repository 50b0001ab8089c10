"""Train a pruned model again with its zeros held, and measure whether its layers return.

All encoder layers and the head learn gold labels. The unpruned model, trained as long on the same
rows in the same order, tells what training alone changes: the control, which is stored and serves
every pruning of its checkpoint.
"""

import time
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from core.encoder.batches import Encoded
from core.encoder.device import device_of, where
from core.encoder.loading import Checkpoint
from core.inputs.hub import Report
from core.results import store
from core.results.key import key_of
from core.results.recovery import Recovery
from core.sweep.comparison import BaselineComparison
from core.sweep.meter import Meter, make_plan, silent
from core.sweep.origin import RecoveryInputs
from core.sweep.sweep import ended, environment
from core.training.loop import descend
from core.training.refit import answering, trainable

OnFrame = Callable[[Recovery], None]


def recover(
    checkpoint: Checkpoint,
    inputs: RecoveryInputs,
    report: Report = silent,
    on_frame: OnFrame = lambda _: None,
) -> tuple[Recovery, nn.Module]:
    """Train a copy of a checkpoint, pruned, and then the copy unpruned.

    Args:
        checkpoint: The loaded model, which is never changed.
        inputs: The pruning, the judged examples and the rows to train on; a start with the frames
            of the unpruned model needs no control.
        report: Called with (stage, done, total) after each step; an exception that it raises ends
            the training.
        on_frame: Called after each frame with the recovery so far, which has no key.

    Returns:
        The recovery, unsaved, and the trained pruned model.

    Raises:
        PrunescopeError: A loss or a representation is not finite, or the control cannot be stored.
    """
    started = time.monotonic()
    swept = inputs.swept
    how = inputs.start.rows.training
    recovery = inputs.start.model_copy(
        update={"environment": environment(checkpoint.model, swept.request.dtype)}
    )
    key = key_of(recovery.control)
    control = store.stored(key)
    if isinstance(control, Recovery):
        recovery = recovery.model_copy(update={"unpruned": control.frames})
    trainings = [(recovery.amount, "frames")]
    if not recovery.unpruned:
        trainings.append((0.0, "unpruned"))
    done = 0
    total = how.steps * len(trainings)
    trained = dict[str, Tensor]()
    kept = dict[Tensor, Tensor]()
    subject = checkpoint._replace(model=deepcopy(checkpoint.model))
    rows = Encoded(checkpoint.tokenizer, inputs.rows.texts)
    model = subject.model
    gold = torch.tensor(inputs.rows.record.gold)  # (rows,)
    targets = one_hot(gold, len(recovery.task.label_names)).float()  # (rows, labels)
    every_row = np.arange(len(gold))

    def look(stage: str, *_: int) -> None:
        report(stage, done, total)

    def hold(weight: Tensor) -> None:
        weight.grad.mul_(kept[weight])  # type: ignore[union-attr]  # in place, which is much the fastest

    answer = answering(model, rows, lambda batch: model(**batch.inputs).logits)
    plan = make_plan(subject, swept.calibration, swept.request, look)
    with Meter(subject, swept, plan, look) as meter:
        comparison = BaselineComparison(swept.subset, meter.measure(0.0))
        weights = trainable(model, checkpoint.record.num_layers - how.layers)
        for amount, part in trainings:
            model.load_state_dict(checkpoint.model.state_dict())
            meter.model.prune(amount)
            kept = {
                weight: (weight != 0).float()
                for weight in plan.parameters
                if amount and weight.requires_grad
            }
            hooks = [weight.register_post_accumulate_grad_hook(hold) for weight in kept]  # type: ignore[no-untyped-call]
            kind = "pruned" if amount else "unpruned"
            for step in descend(weights, answer, targets, rows.lengths, every_row, how):
                done += step > 0
                report(f"Training the {kind} model{where(model)}", done, total)
                if step in recovery.steps:
                    measured = meter.look(f"Measuring after {step} steps")
                    frame = comparison.at_step(step, measured)
                    frames = (*getattr(recovery, part), frame)
                    recovery = recovery.model_copy(update={part: frames})
                    on_frame(recovery)
                    # Where the optimizer is, also if it was too full to measure.
                    model.to(device_of(checkpoint.model))
            for hook in hooks:
                hook.remove()
            if not trained:  # the pruned model comes first
                state = model.state_dict()
                trained = {name: value.clone() for name, value in state.items()}
    model.load_state_dict(trained)
    recovery = recovery.model_copy(update=ended(started))
    if len(trainings) == 2:
        store.save(Recovery(**{**dict(recovery.control), "key": key}))
    return Recovery(**{**dict(recovery), "key": key_of(recovery)}), model
