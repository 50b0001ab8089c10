"""Verification: confirms a computed frame, finds a changed one, refuses other inputs."""

import re
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from tiny import left_whole, make_bert, swept, write_split

from core import verify
from core.encoder.loading import load
from core.inputs.prepare import prepare
from core.request.catalog import REDUCTIONS, TASKS
from core.request.sweep_request import SweepRequest
from core.results.key import key_of
from core.results.schema import Similarities, SweepResult
from core.results.store import save
from core.sweep.recompute import verify_frame
from tests.refusals import refusal

ASKED = {"amounts": (0.0, 0.2, 0.4, 0.6, 0.8), "num_examples": 40}


@pytest.fixture(scope="module")
def places(tiny_bert: Path, glue_folder: Path) -> dict[str, str]:
    """The places of the result's checkpoint and data."""
    return {"checkpoint": str(tiny_bert), "data": str(glue_folder)}


@pytest.fixture(scope="module")
def result(places: dict[str, str]) -> SweepResult:
    return swept(**places, **ASKED | {"num_examples": 70})


def changed(result: SweepResult, **changes: object) -> SweepResult:
    """Return a copy of the result with some fields of the frame at 0.4 changed."""
    frames = [
        frame.model_copy(update=changes if frame.amount == 0.4 else {}) for frame in result.frames
    ]
    return result.model_copy(update={"frames": tuple(frames)})


def with_cell(result: SweepResult, reduction: str, difference: float | None) -> SweepResult:
    """Return a copy where the last row's first value of one reduction differs, or is undefined, at 0.4."""
    similarity = result.frames[2].similarity
    *rows, (first, *others) = similarity.cka[reduction]
    value = None if difference is None else first + difference
    cka = {**similarity.cka, reduction: (*rows, (value, *others))}
    return changed(result, similarity=Similarities(cka=cka))


def test_a_frame_of_this_machine_is_confirmed_to_the_last_bit_and_the_model_left_as_it_was(
    result: SweepResult, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(prepare(SweepRequest(task="sst2", num_examples=70, **places)).resolved).model
    with left_whole(model):
        found = verify_frame(result, 0.8, **places, report=(report := Mock()))
    seen = [call.args[0] for call in report.mock_calls]
    assert (
        seen == ["Recomputing"] * 15 + ["Asking torch-cka"] * 10
    )  # the floor and two amounts of 70 examples, by 16
    assert found.engine == dict.fromkeys(REDUCTIONS, 0.0), "neighbouring amounts must not matter"
    assert {found.accuracy, *found.others.values()} == {0.0}
    assert len(found.others) == 3, "floor by mean and cls, and what the classifier reads"
    assert set(found.torch_cka) == set(REDUCTIONS)
    assert 0 < max(found.torch_cka.values()) < 1e-5, (
        "another computation, in float32, agrees but not to the bit"
    )
    assert found.within_tolerance

    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "Asking torch-cka" and done == 7:
            raise KeyboardInterrupt

    with left_whole(model), pytest.raises(KeyboardInterrupt):
        verify_frame(result, 0.4, **places, report=cancel)
    monkeypatch.setattr("core.encoder.batches.WINDOW_BYTES", 1)  # one minibatch at a time
    assert verify_frame(result, 0.0, **places).within_tolerance


def test_whatever_was_changed_is_found(result: SweepResult, places: dict[str, str]) -> None:
    for reduction in REDUCTIONS:
        found = verify_frame(with_cell(result, reduction, -0.01), 0.4, **places)
        assert not found.within_tolerance
        for deviations in (found.engine, found.torch_cka):
            expected = {name: 0.01 * (name == reduction) for name in REDUCTIONS}
            assert deviations == pytest.approx(expected, abs=1e-5), "in its reduction alone"
    floor = result.floor.model_copy(update={"cka": {**result.floor.cka, "mean": (0.5, 0.5)}})
    frame = result.frames[2]
    more = {"accuracy": frame.metrics["accuracy"] + 1 / 70}
    edited = (
        with_cell(result, "cls", None),
        changed(result, metrics=more),
    )
    edited = *edited, result.model_copy(update={"floor": floor})
    without, better, lower = (verify_frame(each, 0.4, **places) for each in edited)
    assert without.engine["cls"] == without.torch_cka["cls"] == float("inf"), (
        "one of both is undefined"
    )
    assert without.to_json()["engine"] == {"mean": 0.0, "cls": None, "tokens": 0.0}
    assert better.accuracy == pytest.approx(1 / 70)
    assert not any(deviations.within_tolerance for deviations in (without, better, lower))


def test_another_device_may_deviate_a_little_more(
    result: SweepResult, places: dict[str, str]
) -> None:
    environment = {**result.environment, "device": "cuda:0 (NVIDIA H100)"}
    elsewhere = result.model_copy(update={"environment": environment})
    assert key_of(elsewhere) == result.key
    cases = (result, 5e-5), (elsewhere, 5e-5), (elsewhere, 5e-4)
    found = [
        verify_frame(with_cell(computed, "mean", difference), 0.4, **places)
        for computed, difference in cases
    ]
    assert [deviations.within_tolerance for deviations in found] == [False, True, False]
    assert [deviations.cause for deviations in found] == ["", *["on another device"] * 2]


def test_something_else_is_refused_in_one_line(
    result: SweepResult, places: dict[str, str], tmp_path: Path
) -> None:
    other = str(make_bert(tmp_path / "other-bert", seed=1))
    write_split(tmp_path / "elsewhere", TASKS["sst2"], "validation", 96, seed=9)
    for amount, given, words in (
        (
            0.4,
            {**places, "checkpoint": other},
            ("'other-bert'", "'tiny-bert'", result.checkpoint.revision[:12]),
        ),
        (
            0.4,
            {**places, "data": str(tmp_path / "elsewhere")},
            ("'elsewhere'", result.task.fingerprint[:12]),
        ),
        (0.4, {}, ("'tiny-bert' and of the data", "give --checkpoint and --data")),
        (0.4, {"checkpoint": places["checkpoint"]}, ("path of the data", "give --data")),
    ):
        said = refusal(verify_frame, result, amount, **given)
        assert all(word in said for word in words), said


# ---------------------------------------------------------------- the command


@pytest.fixture
def arguments(result: SweepResult, places: dict[str, str], tmp_path: Path) -> list[str]:
    path = save(result, tmp_path / "result.json")
    return [str(path), "--checkpoint", places["checkpoint"], "--data", places["data"]]


def test_first_middle_and_last_are_confirmed_and_a_deviation_sets_the_exit_code(
    result: SweepResult, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify.main(arguments) == 0
    header, *rows, verdict = capsys.readouterr().out.splitlines()
    assert header.split() == ["amount", "deviation", "of", "engine", "torch-cka"]
    assert [row.split()[0] for row in rows] == [
        amount for amount in ("0", "0.4", "0.8") for _ in range(7)
    ]
    assert re.fullmatch(r"0\.4 +CKA, tokens +0\.0e\+00 +\d\.\de-0[78]", rows[9])
    assert re.fullmatch(r"0\.4 +accuracy +0\.0e\+00 +-", rows[13])
    assert verdict.startswith("all within tolerance")
    edited = with_cell(result, "mean", -0.01)
    arguments[0] = str(
        save(edited, tmp_path / "edited.json")
    )  # with a checksum of its own: no plain damage
    assert verify.main([*arguments, "--amount", "0.4", "--amount", "0.2"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("NOT all within tolerance")
    assert "give --data" in refusal(verify.main, arguments[:3])
    assert not capsys.readouterr().out
    assert (
        verify.main([*arguments, "--amount", "0.20", "--threads", str(torch.get_num_threads())])
        == 0
    )
    assert "0.3 is not among" in refusal(verify.main, [*arguments, "--amount", "0.3"])
