"""The race: every procedure does the same work."""

from pathlib import Path

import pytest

from benchmarks.race import PROCEDURES, Workload
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from tests.tiny import loaded

# Over the examples: one per amount; one more for the floor; per amount, accuracy and both sides of CKA.
PASSES = {"plain": 3, "ours": 4, "careful": 9, "published": 9}


@pytest.mark.parametrize("task", ["sst2", "mrpc"])
def test_all_procedures_agree_in_their_numbers_of_passes(task: str, tiny_bert: Path, glue_folder: Path) -> None:
    amounts = (0.0, 0.5, 0.9)
    inputs = prepare(
        checked(SweepRequest(str(tiny_bert), task, amounts=amounts, num_examples=64, data=str(glue_folder)))
    )
    accuracies = {}
    for name, procedure in PROCEDURES.items():
        workload, seen = Workload(loaded(inputs.resolved), inputs), []  # torch-cka leaves its hooks behind
        count = lambda model, arguments, options, seen=seen: seen.append(len(options["input_ids"]))  # noqa: E731
        workload.checkpoint.model.register_forward_pre_hook(count, with_kwargs=True)  # deep copies take it along
        accuracies[name] = procedure(workload)
        assert sum(seen) == PASSES[name] * 64
        assert not workload.checkpoint.model.training, "dropout would make scores random"
    assert accuracies["careful"] == accuracies["published"] == pytest.approx(accuracies["ours"])
