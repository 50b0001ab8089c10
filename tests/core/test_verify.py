"""Verification: confirms what was computed, finds what was changed, refuses what is something else."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from local_hub import LocalHub
from tiny import loaded, make_bert, write_split

from core import verify
from core.command_line import run_command
from core.encoder.loading import load
from core.errors import PrunescopeError
from core.inputs.hub import Report
from core.inputs.prepare import Inputs, prepare
from core.request.catalog import REDUCTIONS, TASKS
from core.request.sweep_request import SweepRequest, checked
from core.results.schema import Frame, SweepResult
from core.results.store import save
from core.sweep import origin
from core.sweep.recompute import Deviations, verify_frame
from core.sweep.sweep import sweep

AMOUNTS = (0.0, 0.2, 0.4, 0.6, 0.8)


def swept(checkpoint: str, data: str, **options: object) -> SweepResult:
    request = checked(SweepRequest(checkpoint, data=data, **{"task": "sst2", "amounts": AMOUNTS, **options}))
    inputs = prepare(request)
    result = sweep(loaded(inputs.resolved), inputs, request)
    return result


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def result(tiny_bert: Path, glue_folder: Path) -> SweepResult:
    return swept(str(tiny_bert), str(glue_folder), num_examples=70)


@pytest.fixture
def places(tiny_bert: Path, glue_folder: Path) -> dict[str, str]:
    """Where the result's checkpoint and data are."""
    return {"checkpoint": str(tiny_bert), "data": str(glue_folder)}


def changed(result: SweepResult, amount: float, change: Callable[[Frame], dict[str, object]]) -> SweepResult:
    """A copy of the result with some fields of one frame changed."""
    frames = tuple(
        frame.model_copy(update=change(frame)) if frame.amount == amount else frame for frame in result.frames
    )
    return result.model_copy(update={"frames": frames})


def with_cell(reduction: str, value: Callable[[float], float | None]) -> Callable[[Frame], dict[str, object]]:
    """Changes the last row's first value of one reduction."""

    def change(frame: Frame) -> dict[str, object]:
        *rows, (first, *others) = frame.similarity["cka"][reduction]
        assert first is not None
        return {
            "similarity": {
                **frame.similarity,
                "cka": {**frame.similarity["cka"], reduction: (*rows, (value(first), *others))},
            }
        }

    return change


class TestConfirms:
    @pytest.mark.parametrize("amount", [0.0, 0.8])
    def test_a_frame_of_this_machine_to_the_last_bit(
        self, result: SweepResult, places: dict[str, str], amount: float
    ) -> None:
        found = verify_frame(result, amount, **places)
        assert found.amount == amount
        assert found.engine == dict.fromkeys(REDUCTIONS, 0.0), "neighbouring amounts must not matter"
        assert found.accuracy == 0.0
        assert found.others == dict.fromkeys(
            ("CKA given the emptied model, mean", "CKA given the emptied model, cls", "Floor, mean", "Floor, cls"), 0.0
        )
        assert set(found.torch_cka) == set(REDUCTIONS)
        assert 0 < max(found.torch_cka.values()) < 1e-5, "another computation, in float32, agrees but not to the bit"
        assert found.within_tolerance

    @pytest.mark.parametrize(
        "options", [{"points": "both", "task": "mrpc"}, {"scope": "layer:1", "points": "layer"}], ids=["both", "layer"]
    )
    def test_whatever_the_request_was(self, places: dict[str, str], options: dict[str, str]) -> None:
        found = verify_frame(swept(*places.values(), num_examples=40, **options), 0.6, **places)
        assert found.within_tolerance
        assert max(found.engine.values()) == 0.0

    def test_leaves_the_model_as_it_was(
        self, result: SweepResult, places: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.encoder.batches.WINDOW_BYTES", 1)  # one minibatch at a time
        model = load(prepare(SweepRequest(task="sst2", num_examples=70, **places)).resolved).model
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        assert verify_frame(result, 0.8, **places).within_tolerance
        assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
        assert not any(module._forward_hooks for module in model.modules())

    def test_finds_a_result_of_the_hub_by_itself_at_its_commit(
        self, hub: LocalHub, tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub.models["someone/tiny-bert"] = tiny_bert
        hub.datasets["nyu-mll/glue"] = glue_folder
        result = swept("someone/tiny-bert", "hub", num_examples=40)
        asked: list[SweepRequest] = []

        def noting(request: SweepRequest, report: Report) -> Inputs:
            asked.append(request)
            return prepare(request, report)

        monkeypatch.setattr(origin, "prepare", noting)
        assert verify_frame(result, 0.4).within_tolerance
        assert [request.checkpoint for request in asked] == [f"someone/tiny-bert@{result.checkpoint.revision}"]


class TestFinds:
    def test_a_changed_floor_measure_or_accuracy(self, result: SweepResult, places: dict[str, str]) -> None:
        floor = result.floor.model_copy(update={"cka": {**result.floor.cka, "mean": (0.5, 0.5)}})
        assert not verify_frame(result.model_copy(update={"floor": floor}), 0.4, **places).within_tolerance
        edited = changed(
            result,
            0.4,
            lambda frame: {"similarity": {**frame.similarity, "partial_cka": {"mean": (0.5, None), "cls": None}}},
        )
        found = verify_frame(edited, 0.4, **places)
        assert found.others["CKA given the emptied model, mean"] == float("inf"), "one value is undefined"
        assert not found.within_tolerance
        more = {"accuracy": (result.frames[2].metrics["accuracy"] or 0) + 1 / 70}
        found = verify_frame(changed(result, 0.4, lambda _: {"metrics": more}), 0.4, **places)
        assert found.accuracy == pytest.approx(1 / 70)
        assert not found.within_tolerance

    @pytest.mark.parametrize("reduction", REDUCTIONS)
    def test_a_changed_value_in_its_reduction_alone(
        self, result: SweepResult, places: dict[str, str], reduction: str
    ) -> None:
        edited = changed(result, 0.4, with_cell(reduction, lambda value: value - 0.01))
        found = verify_frame(edited, 0.4, **places)
        assert not found.within_tolerance
        for deviations in (found.engine, found.torch_cka):
            assert deviations[reduction] == pytest.approx(0.01, abs=1e-5)
            assert all(value < 1e-5 for name, value in deviations.items() if name != reduction)

    def test_a_value_where_there_should_be_none_or_the_other_way_round(
        self, result: SweepResult, places: dict[str, str]
    ) -> None:
        found = verify_frame(changed(result, 0.4, with_cell("cls", lambda _: None)), 0.4, **places)
        assert found.engine["cls"] == found.torch_cka["cls"] == float("inf")
        assert not found.within_tolerance
        plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
        assert plain["engine"] == {"mean": 0.0, "cls": None, "tokens": 0.0}
        assert plain["within_tolerance"] is False

    def test_undefined_on_both_sides_is_agreement(self, result: SweepResult, tmp_path: Path, glue_folder: Path) -> None:
        folder = make_bert(tmp_path / "constant")
        checkpoint = load(prepare(SweepRequest(str(folder), "sst2", data=str(glue_folder))).resolved)
        checkpoint.model.bert.encoder.layer[1].attention.output.LayerNorm.weight.data.zero_()  # type: ignore[union-attr]
        checkpoint.model.save_pretrained(folder)  # type: ignore[operator]
        places = {"checkpoint": str(folder), "data": str(glue_folder)}
        constant = swept(*places.values(), num_examples=40)
        assert constant.frames[2].similarity["cka"]["mean"][0][1] is None
        assert constant.frames[2].similarity["cka"]["mean"][0][0] is not None
        assert verify_frame(constant, 0.4, **places).within_tolerance


class TestRefuses:
    def refusal(self, *arguments: object, **options: object) -> str:
        with pytest.raises(PrunescopeError) as caught:
            verify_frame(*arguments, **options)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
        return str(caught.value)

    def test_another_checkpoint(
        self, result: SweepResult, places: dict[str, str], tmp_path: Path, tiny_bert: Path
    ) -> None:
        other = make_bert(tmp_path / "other-bert", seed=1)
        message = self.refusal(result, 0.4, checkpoint=str(other), data=places["data"])
        assert "'other-bert'" in message
        assert "'tiny-bert'" in message
        assert result.checkpoint.revision[:12] in message
        assert message.endswith("give that checkpoint, or run the sweep again")

    def test_other_examples(self, result: SweepResult, places: dict[str, str], tmp_path: Path) -> None:
        write_split(tmp_path / "elsewhere", TASKS["sst2"], "validation", 96, seed=9)
        message = self.refusal(result, 0.4, checkpoint=places["checkpoint"], data=str(tmp_path / "elsewhere"))
        assert "'elsewhere'" in message
        assert result.task.fingerprint[:12] in message

    def test_a_missing_amount(self, result: SweepResult, places: dict[str, str]) -> None:
        assert self.refusal(result, 0.55, **places) == (
            "amount 0.55 is not among the result's 5: choose one of 0, 0.2, 0.4, 0.6, 0.8"
        )

    def test_a_folder_that_was_not_given(self, result: SweepResult, places: dict[str, str]) -> None:
        assert "give it with --checkpoint" in self.refusal(result, 0.4)
        assert "give it with --data" in self.refusal(result, 0.4, checkpoint=places["checkpoint"])


def test_both_parts_report_progress_and_can_be_ended(result: SweepResult, places: dict[str, str]) -> None:
    seen: list[tuple[str, int, int]] = []
    verify_frame(result, 0.4, **places, report=lambda *progress: seen.append(progress))
    assert seen == [
        *(("Recomputing", done, 15) for done in range(1, 16)),  # the floor and two amounts of 70 examples, 16 at a time
        *(("Asking torch-cka", done, 10) for done in range(1, 11)),
    ]

    class CancelledError(Exception):
        pass

    def cancel(stage: str, done: int, total: int) -> None:
        if stage == "Asking torch-cka" and done == 7:
            raise CancelledError

    with pytest.raises(CancelledError):
        verify_frame(result, 0.4, **places, report=cancel)
    assert verify_frame(result, 0.4, **places).within_tolerance, "the model was put back"


class TestCommand:
    @pytest.fixture
    def arguments(self, result: SweepResult, places: dict[str, str], tmp_path: Path) -> list[str]:
        path = save(result, tmp_path / "result.json")
        return [str(path), "--checkpoint", places["checkpoint"], "--data", places["data"]]

    def test_confirms_first_middle_and_last(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert verify.main(arguments) == 0
        header, *rows, verdict = capsys.readouterr().out.splitlines()
        assert header.split() == ["amount", "deviation", "of", "engine", "torch-cka"]
        assert [row.split()[0] for row in rows] == [amount for amount in ("0", "0.4", "0.8") for _ in range(8)]
        assert re.fullmatch(r"0\.4 +CKA, tokens +0\.0e\+00 +\d\.\de-0[78]", rows[10])
        assert re.fullmatch(r"0\.4 +Floor, mean +0\.0e\+00 +-", rows[13])
        assert re.fullmatch(r"0\.4 +accuracy +0\.0e\+00 +-", rows[15])
        assert verdict.startswith("all within tolerance")

    def test_a_deviation_sets_the_exit_code(
        self, result: SweepResult, arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        edited = changed(result, 0.4, with_cell("mean", lambda value: value - 0.01))
        arguments[0] = str(save(edited, tmp_path / "edited.json"))  # with a checksum of its own: no plain damage
        assert verify.main([*arguments, "--amount", "0.4", "--amount", "0.2"]) == 1
        assert capsys.readouterr().out.splitlines()[-1].startswith("NOT all within tolerance")
        assert verify.main([*arguments, "--amount", "0.20"]) == 0
        assert verify.chosen_amounts(result.model_copy(update={"frames": result.frames[:1]}), None) == (0.0,)

    @pytest.mark.parametrize(
        ("extra", "told"),
        [
            (["--amount", "0.3"], "0.3 is not among"),
            (["--threads", "0"], "0 threads: choose 1 to 1024"),
            (["--threads", "two"], "invalid int value: 'two'"),
            (["--data", "nowhere"], "data 'nowhere' is not a folder"),
        ],
    )
    def test_refuses_bad_input_in_one_line(
        self,
        arguments: list[str],
        extra: list[str],
        told: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("sys.argv", ["verify", *arguments, *extra])
        with pytest.raises(SystemExit) as caught:
            run_command(verify.main)
        captured = capsys.readouterr()
        assert caught.value.code == 2
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
        assert told in captured.err


@pytest.mark.parametrize(
    ("engine", "torch_cka", "accuracy", "confirmed"),
    [
        (1e-6, 5e-5, 0.0, True),
        (2e-5, 5e-5, 0.0, False),
        (1e-6, 2e-4, 0.0, False),
        (1e-6, 5e-5, 1e-3, False),
        (1e-6, float("inf"), 0.0, False),
    ],
)
def test_tolerance(engine: float, torch_cka: float, accuracy: float, confirmed: bool) -> None:
    found = Deviations(0.5, {"mean": 0.0, "cls": engine}, {"mean": torch_cka, "cls": 0.0}, accuracy)
    assert found.within_tolerance is confirmed
