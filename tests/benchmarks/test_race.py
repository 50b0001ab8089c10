"""The race: every procedure does the same work, and the table says what was measured."""

import json
import subprocess
import sys
from mmap import PAGESIZE, mmap
from pathlib import Path

import pytest
import torch

from benchmarks import race
from benchmarks.procedures import (
    PROCEDURES,
    OneInput,
    Procedure,
    Workload,
    careful,
    ours,
    plain,
    published,
    stacked_batches,
)
from benchmarks.race import Measured
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.sweep_request import SweepRequest, checked
from tests.tiny import loaded


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
    assert len(set(expected)) > 1 or workload.subset.task.name != "sst2", "pruning must matter somewhere"
    assert careful(workload) == pytest.approx(expected)
    assert published(workload) == pytest.approx(expected)
    assert not workload.checkpoint.model.training, "dropout would score by chance"


@pytest.mark.parametrize(
    ("procedure", "passes"),
    [
        (plain, 3),  # one per amount
        (ours, 4),  # one more with everything removed, the floor
        (careful, 9),  # an amount: accuracy, and both sides of CKA
        (published, 9),
    ],
    ids=["plain", "ours", "careful", "published"],
)
def test_passes_over_the_examples(workload: Workload, procedure: Procedure, passes: int) -> None:
    seen = 0

    def count(model: torch.nn.Module, arguments: object, options: dict[str, torch.Tensor]) -> None:
        nonlocal seen
        seen += len(options["input_ids"])

    workload.checkpoint.model.register_forward_pre_hook(count, with_kwargs=True)  # deep copies take it along
    procedure(workload)
    assert seen == passes * 64


def test_padding_is_what_each_reference_pays_for(workload: Workload) -> None:
    published_batches, names = stacked_batches(workload, workload.subset.texts, 16, "max_length")
    assert {batch.shape for batch in published_batches} == {(16, len(names), 128)}
    careful_batches, _ = stacked_batches(workload, workload.subset.texts, 32, "longest")
    mask = names.index("attention_mask")
    assert len(careful_batches) == 2
    assert all(batch[:, mask].any(0).all() for batch in careful_batches), "some sentence reaches the end"
    assert careful_batches[0].shape[2] < 128
    model = OneInput(workload.checkpoint.model, names)
    torch.testing.assert_close(model(careful_batches[0])[:16], model(published_batches[0]), atol=1e-4, rtol=1e-4)


def test_table_says_how_many_times_longer_and_how_much_memory() -> None:
    measured = {
        "published": Measured(30.0, 1000.0, [0.9, 0.5]),
        "careful": Measured(15.0, 500.0, [0.9, 0.5]),
        "ours": Measured(3.0, 250.0, [0.9, 0.51]),
        "plain": Measured(2.5, 100.0, []),
    }
    header, *rows, against_plain, memory, accuracies = race.table(measured).splitlines()
    assert header.split() == ["procedure", "seconds", "ratio", "to", "ours", "peak", "MiB"]
    assert [row.split()[-3:] for row in rows] == [
        ["30.00", "10.00", "1000"],
        ["15.00", "5.00", "500"],
        ["3.00", "1.00", "250"],
        ["2.50", "0.83", "100"],
    ]
    assert against_plain.endswith("1.20")
    assert memory.endswith("25%")
    assert accuracies.endswith("0.0100")
    assert set(measured) == set(PROCEDURES)


def test_memory_notices_an_allocation() -> None:
    before = race.memory_mib("VmRSS")
    with mmap(-1, 64 * 1024**2) as held:  # new pages: an array may be given some that were freed
        for start in range(0, len(held), PAGESIZE):
            held[start] = 1
        assert 60 < race.memory_mib("VmRSS") - before < 80
        assert race.memory_mib("VmHWM") >= before + 60


@pytest.mark.parametrize("examples", [0, 16, 100])
def test_refuses_examples_that_leave_a_small_batch(examples: int, tiny_bert: Path) -> None:
    options = race.parse(["--checkpoint", str(tiny_bert), "--task", "sst2", "--examples", str(examples)])
    with pytest.raises(PrunescopeError, match=f"^{examples} examples: choose a multiple of 32"):
        race.request_of(options)


def test_each_procedure_is_asked_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        answer = json.dumps({"seconds": 1.5, "peak_mib": 200.0, "accuracies": [0.5]})
        return subprocess.CompletedProcess(command, 0, stdout=f"what a library prints\n{answer}\n", stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert race.measure_apart("ours", ["--task", "sst2"]) == Measured(1.5, 200.0, [0.5])
    assert commands == [[sys.executable, "-m", "benchmarks.race", "--task", "sst2", "--only", "ours"]]


def test_a_failed_procedure_is_reported_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 2, stdout="", stderr="a trace\nMemoryError: too much\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(PrunescopeError, match=r"^procedure 'ours' ended with exit code 2: MemoryError: too much$"):
        race.measure_apart("ours", [])


def test_one_procedure_alone_answers_in_json(
    tiny_bert: Path, glue_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--checkpoint", str(tiny_bert), "--task", "sst2", "--data", str(glue_folder), "--examples", "32"]
    assert race.main([*arguments, "--amounts", "0,0.5", "--only", "ours"]) == 0
    answer = Measured(**json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert answer.seconds > 0
    assert len(answer.accuracies) == 2
