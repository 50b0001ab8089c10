"""How long sweeps will take: their work, the speed that the last one noted, and what is said of it."""

from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from local_hub import LocalHub
from tiny import loaded

from core.inputs import forecast as module
from core.inputs.checkpoints import resolve
from core.inputs.forecast import (
    SHIPPED_SPEED,
    TOKENS,
    Forecast,
    forecast,
    forecast_training,
    note_speed,
    timed,
)
from core.inputs.prepare import prepare
from core.request.controls import controls, until_damaged
from core.request.cut_request import CutRequest, RecoveryRequest
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked
from core.results.cut import TRAINING
from core.results.provenance import request_of
from core.results.store import save
from core.sweep.sweep import sweep
from tests.builders import make_result, make_result_of, ship, with_own_key
from tests.refusals import refusal
from tests.studies import make_recovery

SIZE = 2 * 32**2  # layers and width of the tiny checkpoint
STEPS = (0.0, 0.3, 0.6)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Use an empty cache directory, without results."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "cache"


@pytest.fixture
def request_(tiny_bert: Path, glue_folder: Path) -> SweepRequest:
    return checked(
        SweepRequest(str(tiny_bert), "sst2", amounts=STEPS, num_examples=40, data=str(glue_folder))
    )


def tokens_of(request: SweepRequest) -> float:
    return 12 + fmean(len(sentence) for (sentence,) in prepare(request).subset.texts) / 4.5


def test_work_counts_tokens_layers_and_squared_width(request_: SweepRequest) -> None:
    unit, few = (
        SIZE * TOKENS["sst2"] / SHIPPED_SPEED,
        (40 + 16) * (3 + 1),
    )  # the emptied model is one more pass

    def seconds(**changes: object) -> float:
        return forecast([checked(replace(request_, **changes))]).seconds

    assert seconds() == pytest.approx(unit * few)
    assert seconds(num_examples=None) == pytest.approx(unit * (256 + 16) * 4), (
        "the usual number; no table is read"
    )
    assert seconds(method="wanda") == pytest.approx(unit * (few + 1024))
    units = {"method": "attribution", "scope": None}
    assert seconds(**units) == pytest.approx(unit * (few + 2 * 1024)), "gradients cost more"
    assert seconds(task="rte") > seconds(task="sst2") > seconds(task="cola")
    (stopped,) = controls(until_damaged(request_), [0])
    assert forecast([request_, stopped]).seconds == pytest.approx(unit * (few + 56 * (22 + 1))), (
        "0 to 0.21 in 0.01"
    )


def test_of_written_examples_what_is_stored_takes_no_time(tiny_bert: Path) -> None:
    request = checked(
        SweepRequest(str(tiny_bert), "sst2", method="wanda", amounts=STEPS, data="written")
    )
    follow_ups = list(controls(request, (0, 1)))
    unit = SIZE * tokens_of(request) / SHIPPED_SPEED
    assert forecast([request, *follow_ups]).seconds == pytest.approx(unit * (3 * 144 * 4 + 64))
    for stored in (request, follow_ups[0]):
        save(make_result_of(stored))
    assert forecast([request, *follow_ups]).seconds == pytest.approx(unit * 144 * 4)
    assert forecast([request]).seconds == 0
    keys = [prepare(sweep).key_of(sweep) for sweep in (request, follow_ups[0])]
    assert module.stored_first([request, *follow_ups]) == keys
    assert module.stored_first([*follow_ups[1:], request]) == []


def test_a_sweep_notes_its_speed_unless_it_is_short(
    request_: SweepRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = prepare(request_)
    checkpoint = loaded(inputs.resolved)
    assert timed(SHIPPED_SPEED) == Forecast(1.0, is_rough=True)
    monkeypatch.setattr(module, "SHORTEST", 1e9)
    sweep(checkpoint, inputs, request_)
    assert timed(1.0).is_rough
    monkeypatch.setattr(module, "SHORTEST", 0.0)
    seconds = sweep(checkpoint, inputs, request_).seconds
    assert timed(56 * 4 * tokens_of(request_) * SIZE / seconds).seconds == pytest.approx(
        1.0, rel=1e-3
    )
    assert not forecast([request_]).is_rough


@pytest.mark.parametrize("content", ["", "fast", "nan", "inf", "-1", "0", "\x00\ufffd"])
def test_a_damaged_file_is_none_and_replaced(
    cache: Path, content: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_speed(1e9, 0.5)
    note_speed(1e9, 60.0)
    assert timed(1.0).is_rough, "so short a run, or one of so small a model, says little"
    note_speed(2e10, 20.0)
    (path,) = (cache / "prunescope").iterdir()
    path.write_text(content)
    assert timed(SHIPPED_SPEED) == Forecast(1.0, is_rough=True)
    note_speed(3e10, 20.0)
    assert timed(3e9) == Forecast(2.0, is_rough=False)
    monkeypatch.setenv("PRUNESCOPE_DEVICE", "cuda:1")
    assert timed(3e9).is_rough, "every device has its own"


def test_the_work_of_a_study(
    tiny_bert: Path, glue_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, how = checked(CutRequest(str(tiny_bert), "sst2", data="written")), TRAINING
    unit = 32**2 * TOKENS["sst2"] / SHIPPED_SPEED
    trained = how.steps * how.batch * (1 + 2)  # of one depth, one layer
    assert forecast_training(request).seconds == pytest.approx(
        unit * (192 * 2 + trained + module.TIMED_ROWS * 3)
    )
    table = checked(replace(request, data=str(glue_folder), num_examples=100))
    assert forecast_training(table).seconds == pytest.approx(
        unit * ((2_048 + 256 + 100) * 2 + trained + module.TIMED_ROWS * 3)
    )
    monkeypatch.setattr("core.inputs.forecast.size_here", lambda _: (12, 32))
    assert (
        forecast_training(replace(request, every=True)).seconds
        > 1.5 * forecast_training(request).seconds
    )


def test_the_unpruned_model_counts_until_it_was_trained(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, recovery = make_result(), make_recovery()
    request = RecoveryRequest.from_json({**vars(request_of(result)), "key": result.key})
    monkeypatch.setattr(module, "RECOVERY", recovery.rows.training)
    seconds = []
    for stored in ([], [recovery], [with_own_key(recovery.control)]):
        ship(shipped, result, *stored)
        seconds.append(forecast_training(request).seconds)
    assert seconds == [seconds[0], seconds[0], pytest.approx(seconds[0] / 2)]


def test_nothing_is_downloaded_for_it(hub: LocalHub, tiny_bert: Path, glue_folder: Path) -> None:
    hub.models["owner/name"] = tiny_bert
    request = checked(SweepRequest("owner/name", "sst2", data=str(glue_folder)))
    assert forecast([request]) is None
    assert not hub.requests
    resolve("owner/name")
    requests = len(hub.requests)
    assert forecast([request]) == forecast([replace(request, checkpoint=str(tiny_bert))])
    assert len(hub.requests) == requests


def test_what_cannot_run_is_refused(
    request_: SweepRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "some of layers 1 to 2" in refusal(
        forecast, [request_, checked(replace(request_, scope="layer:7"))]
    )
    note_speed(6e9, 2e5)
    monkeypatch.setattr(module, "limits", lambda: HOSTED_LIMITS)
    seconds = 56 * 4 * TOKENS["sst2"] * SIZE / 3e4
    assert seconds < HOSTED_LIMITS.job_seconds < 2 * seconds
    assert forecast([request_] * 2).seconds == pytest.approx(2 * seconds), (
        "each sweep is bounded alone"
    )
    line = refusal(forecast, [replace(request_, num_examples=96)])
    assert line.startswith(
        f"a run would take about {2 * seconds / 60:.0f} minutes here, at most 10 are allowed"
    )
