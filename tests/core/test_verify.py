"""Verification: confirms a computed frame, finds a changed one, refuses other inputs."""

import re
from math import inf
from pathlib import Path

import pytest
from tiny import left_whole, make_bert, swept, write_split

from core import verify
from core.encoder.loading import load
from core.inputs.checkpoints import resolve
from core.request.catalog import REDUCTIONS, TASKS
from core.results.key import key_of
from core.results.schema import Similarities, SweepResult
from core.results.store import save
from core.sweep.recompute import verify_frame
from tests.commands import call
from tests.refusals import refusal

Places = dict[str, str]


@pytest.fixture(scope="module")
def places(tiny_bert: Path, glue_folder: Path) -> Places:
    """The places of the result's checkpoint and data."""
    return {"checkpoint": str(tiny_bert), "data": str(glue_folder)}


@pytest.fixture(scope="module")
def result(places: Places) -> SweepResult:
    return swept(**places, amounts=(0.0, 0.2, 0.4, 0.6, 0.8), num_examples=70)


def changed(result: SweepResult, **changes: object) -> SweepResult:
    """Return a copy of the result with some fields of the frame at 0.4 changed."""
    frames = list(result.frames)
    frames[2] = frames[2].model_copy(update=changes)
    return result.model_copy(update={"frames": tuple(frames)})


def with_cell(result: SweepResult, reduction: str, difference: float | None) -> SweepResult:
    """Return a copy where a value of one reduction differs, or is undefined, at 0.4."""
    cka = result.frames[2].similarity.cka
    *rows, (first, *others) = cka[reduction]
    value = None if difference is None else first + difference
    return changed(
        result,
        similarity=Similarities(cka=cka | {reduction: (*rows, (value, *others))}),
    )


def test_a_frame_of_this_machine_is_confirmed_to_the_last_bit(
    result: SweepResult, places: Places
) -> None:
    deviations = verify_frame(result, 0.8, **places)

    assert deviations.engine == dict.fromkeys(REDUCTIONS, 0.0), "neighbours must not matter"
    assert deviations.accuracy == 0.0
    # The floor by mean and cls, and what the classifier reads.
    assert [*deviations.others.values()] == [0.0] * 3
    assert set(deviations.torch_cka) == set(REDUCTIONS)
    # Another computation, in float32, agrees but not to the bit.
    assert 0 < max(deviations.torch_cka.values()) < 1e-5
    assert deviations.within_tolerance


def test_small_windows_change_nothing(
    result: SweepResult, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.encoder.batches.WINDOW_BYTES", 1)  # one minibatch at a time
    assert verify_frame(result, 0.0, **places).within_tolerance


def test_progress_is_reported_and_a_cancel_leaves_the_model_as_it_was(
    result: SweepResult, places: Places
) -> None:
    stages: list[str] = []

    def report(stage: str, done: int, total: int) -> None:
        stages.append(stage)
        if stage == "Asking torch-cka" and done == 7:
            raise KeyboardInterrupt

    model = load(resolve(places["checkpoint"], task="sst2")).model
    with left_whole(model), pytest.raises(KeyboardInterrupt):
        verify_frame(result, 0.4, **places, report=report)

    # The floor and two amounts of 70 examples, by 16.
    assert stages == ["Recomputing"] * 15 + ["Asking torch-cka"] * 7


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_changed_value_is_found_in_its_reduction_alone(
    result: SweepResult, places: Places, reduction: str
) -> None:
    deviations = verify_frame(with_cell(result, reduction, -0.01), 0.4, **places)

    expected = {name: 0.01 * (name == reduction) for name in REDUCTIONS}
    assert deviations.engine == pytest.approx(expected, abs=1e-5)
    assert deviations.torch_cka == pytest.approx(expected, abs=1e-5)
    assert not deviations.within_tolerance


def test_a_value_that_is_undefined_in_one_of_both_is_found(
    result: SweepResult, places: Places
) -> None:
    deviations = verify_frame(with_cell(result, "cls", None), 0.4, **places)

    assert deviations.engine["cls"] == deviations.torch_cka["cls"] == inf
    assert deviations.to_json()["engine"] == {
        "mean": 0.0,
        "cls": None,
        "tokens": 0.0,
    }
    assert not deviations.within_tolerance


def test_a_changed_accuracy_or_floor_is_found(result: SweepResult, places: Places) -> None:
    metrics = {"accuracy": result.frames[2].metrics["accuracy"] + 1 / 70}
    floor = result.floor.model_copy(update={"cka": result.floor.cka | {"mean": (0.5, 0.5)}})

    better = verify_frame(changed(result, metrics=metrics), 0.4, **places)
    lower = verify_frame(result.model_copy(update={"floor": floor}), 0.4, **places)

    assert better.accuracy == pytest.approx(1 / 70)
    assert not better.within_tolerance
    assert not lower.within_tolerance


@pytest.mark.parametrize(
    ("device", "difference", "is_confirmed"),
    [
        ("cpu", 5e-5, False),
        ("cuda:0 (NVIDIA H100)", 5e-5, True),
        ("cuda:0", 5e-4, False),
    ],
)
def test_another_device_may_deviate_a_little_more(
    result: SweepResult,
    places: Places,
    device: str,
    difference: float,
    is_confirmed: bool,
) -> None:
    environment = {**result.environment, "device": device}
    elsewhere = result.model_copy(update={"environment": environment})
    assert key_of(elsewhere) == result.key

    deviations = verify_frame(with_cell(elsewhere, "mean", difference), 0.4, **places)

    assert deviations.within_tolerance == is_confirmed
    assert deviations.cause == ("" if device == "cpu" else "on another device")


def test_another_checkpoint_and_other_examples_are_refused(
    result: SweepResult, places: Places, tmp_path: Path
) -> None:
    checkpoint = make_bert(tmp_path / "other-bert", seed=1)
    write_split(tmp_path / "elsewhere", TASKS["sst2"], "validation", 96, seed=9)

    line = refusal(verify_frame, result, 0.4, str(checkpoint), places["data"])
    for words in (
        "'other-bert'",
        "'tiny-bert'",
        result.checkpoint.revision[:12],
    ):
        assert words in line
    line = refusal(
        verify_frame,
        result,
        0.4,
        places["checkpoint"],
        str(tmp_path / "elsewhere"),
    )
    assert "'elsewhere'" in line
    assert result.task.fingerprint[:12] in line


def test_places_that_no_result_records_are_asked_for(result: SweepResult, places: Places) -> None:
    assert "give --checkpoint and --data" in refusal(verify_frame, result, 0.4)
    line = refusal(verify_frame, result, 0.4, places["checkpoint"])
    assert "path of the data" in line


# ---------------------------------------------------------------- the command


@pytest.fixture
def options(places: Places) -> str:
    return "--checkpoint {checkpoint} --data {data}".format(**places)


def test_first_middle_and_last_are_confirmed(
    result: SweepResult,
    options: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = save(result, tmp_path / "result.json")

    assert call(verify, f"{path} {options}") == 0

    header, *rows, verdict = capsys.readouterr().out.splitlines()
    assert header.split() == ["amount", "deviation", "of", "engine", "torch-cka"]
    amounts = [row.split()[0] for row in rows]
    assert amounts == [amount for amount in ("0", "0.4", "0.8") for _ in range(7)]
    assert re.fullmatch(r"0\.4 +CKA, tokens +0\.0e\+00 +\d\.\de-0[78]", rows[9])
    assert re.fullmatch(r"0\.4 +accuracy +0\.0e\+00 +-", rows[13])
    assert verdict.startswith("all within tolerance")


def test_a_deviation_sets_the_exit_code(
    result: SweepResult,
    options: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Sealed again: no plain damage.
    path = save(with_cell(result, "mean", -0.01), tmp_path / "edited.json")

    assert call(verify, f"{path} {options} --amount 0.4 --amount 0.20") == 1

    assert capsys.readouterr().out.splitlines()[-1].startswith("NOT all within tolerance")
    assert "0.3 is not among" in refusal(call, verify, f"{path} --amount 0.3")
    assert not capsys.readouterr().out
