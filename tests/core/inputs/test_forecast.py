"""How long sweeps will take: their work, and the speed that the last one noted."""

from dataclasses import replace
from statistics import fmean

import pytest
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
from core.request.controls import controls
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

SIZE = 2 * 32**2  # layers and squared width of the tiny checkpoint
UNIT = SIZE * TOKENS["sst2"] / SHIPPED_SPEED  # seconds of an example
PASSES = 3 + 1  # over three amounts and the emptied model
STEPS = (0.0, 0.3, 0.6)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Use an empty cache directory, without results."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "results"))
    return tmp_path / "cache"


@pytest.fixture
def request_(tiny_bert, glue_folder):
    fields = {"amounts": STEPS, "num_examples": 40, "data": str(glue_folder)}
    return checked(SweepRequest(str(tiny_bert), "sst2", **fields))


def tokens_of(request):
    texts = prepare(request).subset.texts
    return 12 + fmean(len(sentence) for (sentence,) in texts) / 4.5


# ---------------------------------------------------------------- work


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({}, 56 * PASSES),
        # The usual number; no table is read.
        ({"num_examples": None}, (256 + 16) * PASSES),
        ({"method": "wanda"}, 56 * PASSES + 1024),
        # Gradients cost more.
        ({"method": "attribution", "scope": None}, 56 * PASSES + 2 * 1024),
    ],
)
def test_work_counts_tokens_layers_and_squared_width(request_, changes, rows):
    request = checked(replace(request_, **changes))

    assert forecast([request]).seconds == pytest.approx(UNIT * rows)


def test_of_written_examples_what_is_stored_takes_no_time(tiny_bert):
    fields = {"method": "wanda", "amounts": STEPS, "data": "written"}
    request = checked(SweepRequest(str(tiny_bert), "sst2", **fields))
    first, second = controls(request, (0, 1))
    sweeps = [request, first, second]
    unit = SIZE * tokens_of(request) / SHIPPED_SPEED
    assert forecast(sweeps).seconds == pytest.approx(unit * (3 * 144 * PASSES + 64))

    for stored in (request, first):
        save(make_result_of(stored))

    assert forecast(sweeps).seconds == pytest.approx(unit * 144 * PASSES)
    assert forecast([request]).seconds == 0
    keys = [prepare(sweep).key_of(sweep) for sweep in (request, first)]
    assert module.stored_first([*sweeps, request]) == keys


# ---------------------------------------------------------------- speed


def test_a_sweep_notes_its_speed_unless_it_is_short(request_, monkeypatch):
    inputs = prepare(request_)
    checkpoint = loaded(inputs.resolved)

    monkeypatch.setattr(module, "SHORTEST", 1e9)
    sweep(checkpoint, inputs)
    assert timed(1.0).is_rough

    monkeypatch.setattr(module, "SHORTEST", 0.0)
    seconds = sweep(checkpoint, inputs).seconds
    work = 56 * PASSES * tokens_of(request_) * SIZE
    assert timed(work / seconds).seconds == pytest.approx(1.0, rel=1e-3)
    assert not forecast([request_]).is_rough


def test_short_runs_and_small_models_say_little():
    note_speed(1e9, 0.5)
    note_speed(1e9, 60.0)

    assert timed(SHIPPED_SPEED) == Forecast(1.0, is_rough=True)


@pytest.mark.parametrize("content", ["", "fast", "nan", "inf", "-1", "0", "\x00\ufffd"])
def test_a_damaged_file_is_none_and_replaced(cache, content, monkeypatch):
    note_speed(2e10, 20.0)
    (path,) = (cache / "prunescope").iterdir()
    path.write_text(content)
    assert timed(SHIPPED_SPEED) == Forecast(1.0, is_rough=True)

    note_speed(3e10, 20.0)

    assert timed(3e9) == Forecast(2.0, is_rough=False)
    monkeypatch.setenv("PRUNESCOPE_DEVICE", "cuda:1")
    assert timed(3e9).is_rough, "every device has its own"


# ---------------------------------------------------------------- trainings


def test_the_work_of_a_study(tiny_bert, glue_folder):
    written = checked(CutRequest(str(tiny_bert), "sst2", data="written"))
    table = checked(replace(written, data=str(glue_folder), num_examples=100))
    unit = UNIT / 2  # one layer
    trained = TRAINING.steps * TRAINING.batch * (1 + 2)  # of one depth, one layer
    further = trained + module.TIMED_ROWS * 3

    assert forecast_training(written).seconds == pytest.approx(unit * (192 * 2 + further))
    rows = 2_048 + 256 + 100
    assert forecast_training(table).seconds == pytest.approx(unit * (rows * 2 + further))


def test_the_unpruned_model_counts_until_it_was_trained(shipped, monkeypatch):
    result = make_result()
    recovery = make_recovery()
    request = RecoveryRequest.from_json({**vars(request_of(result)), "key": result.key})
    monkeypatch.setattr(module, "RECOVERY", recovery.rows.training)

    seconds = []
    for stored in ([], [recovery], [with_own_key(recovery.control)]):
        ship(shipped, *stored)
        seconds.append(forecast_training(request).seconds)

    assert seconds == [seconds[0], seconds[0], pytest.approx(seconds[0] / 2)]


# ---------------------------------------------------------------- refusals


def test_nothing_is_downloaded_for_it(hub, tiny_bert, glue_folder):
    hub.models["owner/name"] = tiny_bert
    request = checked(SweepRequest("owner/name", "sst2", data=str(glue_folder)))
    assert forecast([request]) is None
    assert not hub.requests

    resolve("owner/name")
    hub.requests.clear()

    assert forecast([request]) == forecast([replace(request, checkpoint=str(tiny_bert))])
    assert not hub.requests


def test_layers_that_a_checkpoint_lacks_are_refused(request_):
    other = checked(replace(request_, scope="layer:7"))

    assert "some of layers 1 to 2" in refusal(forecast, [request_, other])


def test_a_hosted_server_bounds_each_sweep_alone(request_, monkeypatch):
    note_speed(6e9, 2e5)
    monkeypatch.setattr(module, "limits", lambda: HOSTED_LIMITS)
    seconds = UNIT * 56 * PASSES * SHIPPED_SPEED / 3e4
    assert seconds < HOSTED_LIMITS.job_seconds < 2 * seconds

    assert forecast([request_] * 2).seconds == pytest.approx(2 * seconds)
    line = refusal(forecast, [replace(request_, num_examples=96)])
    minutes = f"{2 * seconds / 60:.0f} minutes"
    assert line.startswith(f"a run would take about {minutes} here, at most 10 are allowed")
