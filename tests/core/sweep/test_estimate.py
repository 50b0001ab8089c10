"""How long a sweep will take, measured on a tiny model."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from local_hub import LocalHub
from tiny import loaded, make_pretrained

from core.encoder.loading import borrow
from core.errors import PrunescopeError
from core.inputs.prepare import prepare
from core.request.controls import controls, until_damaged
from core.request.sweep_request import SweepRequest, checked
from core.results.store import save
from core.sweep import estimate as module
from core.sweep.estimate import OVERHEAD, SAMPLE_SIZE, Pace, estimate, measure, passes
from core.sweep.sweep import sweep
from tests.builders import make_result_of


def silent(stage: str, done: int, total: int) -> None:
    """Reports nothing."""


@pytest.fixture
def request_(tiny_bert: Path, glue_folder: Path) -> SweepRequest:
    request = SweepRequest(str(tiny_bert), "sst2", amounts=(0.0, 0.3, 0.6), num_examples=96, data=str(glue_folder))
    return checked(request)


@pytest.mark.parametrize("method", ["magnitude", "wanda", "attribution", "random"])
def test_every_part_takes_time_and_the_model_is_left_alone(request_: SweepRequest, method: str) -> None:
    scope = None if method == "attribution" else "encoder"
    request = checked(replace(request_, method=method, scope=scope))
    inputs = prepare(request)
    checkpoint = loaded(inputs.resolved)
    before = {name: value.clone() for name, value in checkpoint.model.state_dict().items()}
    pace = measure(checkpoint, inputs, request, silent)
    assert pace.preparation > 0
    assert pace.per_amount > 0
    assert all(torch.equal(before[name], value) for name, value in checkpoint.model.state_dict().items())


def test_the_estimate_is_exact_if_every_token_costs_a_second(
    request_: SweepRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = checked(replace(request_, method="wanda"))
    inputs = prepare(request)
    seconds = 0.0

    def read(model: torch.nn.Module, arguments: object, options: dict[str, torch.Tensor]) -> None:
        nonlocal seconds
        seconds += options["input_ids"].numel()

    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: seconds))
    with borrow(inputs.resolved) as checkpoint:
        hook = checkpoint.model.register_forward_pre_hook(read, with_kwargs=True)
        pace = measure(checkpoint, inputs, request, silent)
        measured = seconds
        list(sweep(checkpoint, inputs, request))
        hook.remove()
    taken = seconds - measured
    assert pace.preparation + pace.per_amount / OVERHEAD * passes(request, inputs) == pytest.approx(taken)
    assert passes(request, inputs) == len(request.amounts) + 1, "the floor is one more pass"
    assert measured < taken / 2


def test_few_examples_are_run_however_many_there_are(request_: SweepRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = prepare(checked(replace(request_, method="wanda")))
    checkpoint = loaded(inputs.resolved)
    run: list[int] = []
    hook = checkpoint.model.register_forward_hook(lambda model, _, output: run.append(len(output.logits)))
    try:
        measure(checkpoint, inputs, checked(replace(request_, method="wanda")), silent)
    finally:
        hook.remove()
    assert sum(run) == 3 * SAMPLE_SIZE, "scored once, run twice"


def test_the_outcome_adds_the_parts(request_: SweepRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: Pace(preparation=2.0, per_amount=0.5))
    assert estimate(request_, silent) == {"stored": False, "seconds": 2 + 0.5 * (3 + 1)}


def test_a_stored_result_takes_no_time(request_: SweepRequest) -> None:
    request = checked(replace(request_, num_examples=33))
    path = save(make_result_of(request))
    assert estimate(request, silent) == {"stored": True, "seconds": 0.0}
    path.unlink()


def test_the_control_is_estimated_with_the_method(request_: SweepRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its amounts are those at which it probably stops; what is stored takes no time."""
    monkeypatch.setattr(module, "measure", lambda *_: Pace(preparation=2.0, per_amount=0.5))
    request = checked(replace(request_, method="wanda"))
    first, second = controls(until_damaged(request), (0, 1))
    likely = 21 + 1  # 0 to 0.2 in steps of 0.01, and the floor
    both = estimate(request, silent, [first, second])
    assert both == {"stored": False, "seconds": 2 + 0.5 * (3 + 1) + 2 * 0.5 * likely}
    paths = [save(make_result_of(sweep)) for sweep in (request, first)]
    assert estimate(request, silent, [first, second]) == {"stored": False, "seconds": 0.5 * likely}
    assert estimate(request, silent, [first]) == {"stored": True, "seconds": 0.0}
    for path in paths:
        path.unlink()


def test_another_checkpoint_is_loaded_and_run_once_and_leaves_no_floor(
    request_: SweepRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = checked(replace(request_, against=str(make_pretrained(tmp_path / "other"))))
    monkeypatch.setattr(module, "measure", lambda *_: Pace(preparation=2.0, per_amount=0.5))
    monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=iter([10.0, 14.0, 15.0]).__next__))
    scaled = 2 * len(prepare(request).subset.rows) / SAMPLE_SIZE  # the second of the sample's two micro-batches
    assert estimate(request, silent) == {"stored": False, "seconds": 4 + 1 * scaled + 2 + 0.5 * 3}


def test_nothing_large_is_downloaded_to_be_measured(hub: LocalHub, tiny_bert: Path) -> None:
    hub.models["owner/name"] = tiny_bert
    assert estimate(checked(SweepRequest("owner/name", "sst2", data="written")), silent) == {"download": True}


def test_requests_that_the_sweep_refuses_are_refused(request_: SweepRequest) -> None:
    with pytest.raises(PrunescopeError, match="this model has 2 layers"):
        estimate(checked(replace(request_, scope="layer:7")), silent)


def test_it_can_be_stopped_between_two_steps(request_: SweepRequest) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        estimate(request_, stop)
