"""The race: every procedure does the same work, and the table says what was measured."""

import subprocess
from pathlib import Path

import pytest
import torch

from benchmarks import race
from benchmarks.race import PROCEDURES, Measured, Workload, stacked_batches
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from tests.tiny import loaded

# Over the examples: one an amount; one more for the floor; an amount's accuracy and both sides of CKA.
PASSES = {"plain": 3, "ours": 4, "careful": 9, "published": 9}


@pytest.mark.parametrize("task", ["sst2", "mrpc"])
def test_all_procedures_find_the_same_accuracies_in_their_numbers_of_passes(
    task: str, tiny_bert: Path, glue_folder: Path
) -> None:
    asked = checked(SweepRequest(str(tiny_bert), task, amounts=(0.0, 0.5, 0.9), num_examples=64, data=str(glue_folder)))
    inputs, found = prepare(asked), {}
    for name, procedure in PROCEDURES.items():
        workload, seen = Workload(loaded(inputs.resolved), inputs), []  # torch-cka leaves its hooks behind
        count = lambda model, arguments, options, seen=seen: seen.append(len(options["input_ids"]))  # noqa: E731
        workload.checkpoint.model.register_forward_pre_hook(count, with_kwargs=True)  # deep copies take it along
        found[name] = procedure(workload)
        assert sum(seen) == PASSES[name] * 64
        assert not workload.checkpoint.model.training, "dropout would score by chance"
    assert found["careful"] == found["published"] == pytest.approx(found["ours"])
    batches, names = stacked_batches(workload, inputs.subset.texts, 16, "max_length")
    assert {batch.shape for batch in batches} == {(16, len(names), 128)}
    batches, _ = stacked_batches(workload, inputs.subset.texts, 32, "longest")
    assert all(batch[:, names.index("attention_mask")].any(0).all() for batch in batches), "some reach the end"
    assert torch.cat([batch[0] for batch in batches], 1).shape[1] < 2 * 128


def test_table_says_how_many_times_longer_and_how_much_memory() -> None:
    runs = ((30.0, 1000.0, [0.9, 0.5]), (15.0, 500.0, [0.9, 0.5]), (3.0, 250.0, [0.9, 0.51]), (2.5, 100.0, []))
    measured = {name: Measured(*run) for name, run in zip(("published", "careful", "ours", "plain"), runs, strict=True)}
    _, *rows, against_plain, memory, accuracies = race.table(measured).splitlines()
    assert [row.split()[-3:] for row in rows[::2]] == [["30.00", "10.00", "1000"], ["3.00", "1.00", "250"]]
    assert [line.split()[-1] for line in (against_plain, memory, accuracies)] == ["1.20", "25%", "0.0100"]


def test_each_procedure_answers_from_a_process_of_its_own(
    tiny_bert: Path, glue_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert race.main(command[3:]) == 0
        return subprocess.CompletedProcess(command, 0, stdout=capsys.readouterr().out, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    arguments = ["--checkpoint", str(tiny_bert), "--task", "sst2", "--data", str(glue_folder), "--examples"]
    assert len(race.measure_apart("ours", [*arguments, "32"]).accuracies) == 10
