"""The race: every procedure does the same work, and the table says what was measured."""

import subprocess
from mmap import PAGESIZE, mmap
from pathlib import Path

import pytest
import torch

from benchmarks import race
from benchmarks.race import PROCEDURES, Measured, Workload, careful, ours, published, stacked_batches
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from tests.tiny import loaded

PASSES = {
    "plain": 3,  # one per amount
    "ours": 4,  # one more with everything removed, the floor
    "careful": 9,  # an amount: accuracy, and both sides of CKA
    "published": 9,
}


@pytest.fixture(params=["sst2", "mrpc"])
def workload(request: pytest.FixtureRequest, tiny_bert: Path, glue_folder: Path) -> Workload:
    """A small workload of its own model, because torch-cka leaves its hooks behind."""
    asked = checked(
        SweepRequest(str(tiny_bert), request.param, amounts=(0.0, 0.5, 0.9), num_examples=64, data=str(glue_folder))
    )
    inputs = prepare(asked)
    return Workload(loaded(inputs.resolved), inputs, asked)


def test_all_procedures_find_the_same_accuracies(workload: Workload) -> None:
    expected = ours(workload)
    assert len(set(expected)) > 1 or workload.request.task != "sst2", "pruning must matter somewhere"
    assert careful(workload) == published(workload) == pytest.approx(expected)
    assert not workload.checkpoint.model.training, "dropout would score by chance"


@pytest.mark.parametrize("name", PROCEDURES)
def test_passes_over_the_examples(workload: Workload, name: str) -> None:
    seen = 0

    def count(model: torch.nn.Module, arguments: object, options: dict[str, torch.Tensor]) -> None:
        nonlocal seen
        seen += len(options["input_ids"])

    workload.checkpoint.model.register_forward_pre_hook(count, with_kwargs=True)  # deep copies take it along
    PROCEDURES[name][1](workload)
    assert seen == PASSES[name] * 64


def test_padding_is_what_each_reference_pays_for(workload: Workload) -> None:
    texts = workload.inputs.subset.texts
    batches, names = stacked_batches(workload, texts, 16, "max_length")
    assert {batch.shape for batch in batches} == {(16, len(names), 128)}
    batches, _ = stacked_batches(workload, texts, 32, "longest")
    assert len(batches) == 2
    assert batches[0].shape[2] < 128
    assert all(batch[:, names.index("attention_mask")].any(0).all() for batch in batches), "some reach the end"


def test_table_says_how_many_times_longer_and_how_much_memory() -> None:
    measured = {
        "published": Measured(30.0, 1000.0, [0.9, 0.5]),
        "careful": Measured(15.0, 500.0, [0.9, 0.5]),
        "ours": Measured(3.0, 250.0, [0.9, 0.51]),
        "plain": Measured(2.5, 100.0, []),
    }
    _, *rows, against_plain, memory, accuracies = race.table(measured).splitlines()
    assert [row.split()[-3:] for row in rows] == [
        ["30.00", "10.00", "1000"],
        ["15.00", "5.00", "500"],
        ["3.00", "1.00", "250"],
        ["2.50", "0.83", "100"],
    ]
    assert [line.split()[-1] for line in (against_plain, memory, accuracies)] == ["1.20", "25%", "0.0100"]


def test_memory_notices_an_allocation() -> None:
    before = race.memory_mib("VmRSS")
    with mmap(-1, 64 * 1024**2) as held:  # new pages: an array may be given some that were freed
        for start in range(0, len(held), PAGESIZE):
            held[start] = 1
        assert 60 < race.memory_mib("VmRSS") - before < 80


def test_each_procedure_answers_from_a_process_of_its_own(
    tiny_bert: Path, glue_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[1:3] == ["-m", "benchmarks.race"]
        assert race.main(command[3:]) == 0
        return subprocess.CompletedProcess(command, 0, stdout=capsys.readouterr().out, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    arguments = ["--checkpoint", str(tiny_bert), "--task", "sst2", "--data", str(glue_folder), "--examples", "32"]
    answer = race.measure_apart("ours", arguments)
    assert answer.seconds > 0
    assert len(answer.accuracies) == 10
    with pytest.raises(PrunescopeError, match=r"^33 examples: choose a multiple of 32"):
        race.main([*arguments, "--examples", "33"])


def test_a_failed_procedure_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 2, stdout="", stderr="a trace\nMemoryError: too much\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(PrunescopeError, match=r"^procedure 'ours' ended with exit code 2: MemoryError: too much$"):
        race.measure_apart("ours", [])
