"""How long sweeps will take, measured on a tiny model."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from local_hub import LocalHub
from tiny import loaded

from core.inputs.prepare import prepare
from core.request.catalog import METHODS
from core.request.controls import controls, every_method, until_damaged
from core.request.limits import HOSTED_LIMITS
from core.request.sweep_request import SweepRequest, checked, usual_scope
from core.results.store import save
from core.sweep import estimate as module
from core.sweep.estimate import OVERHEAD, SAMPLE_SIZE, estimate, measure, passes
from core.sweep.meter import silent
from core.sweep.sweep import sweep
from tests.builders import make_result_of
from tests.refusals import refusal

REST = 26 / 70  # of 96 examples, 70 are compared


@pytest.fixture
def request_(tiny_bert: Path, glue_folder: Path) -> SweepRequest:
    request = SweepRequest(str(tiny_bert), "sst2", amounts=(0.0, 0.3, 0.6), num_examples=96, data=str(glue_folder))
    return checked(request)


@pytest.mark.parametrize("method", ["magnitude", "wanda", "attribution", "random"])
def test_it_is_exact_if_every_token_costs_a_second_and_runs_few_examples(
    request_: SweepRequest, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    request = checked(replace(request_, method=method, scope=usual_scope(method)))
    inputs = prepare(request)
    checkpoint, read = loaded(inputs.resolved), list[torch.Size]()
    before = {name: value.clone() for name, value in checkpoint.model.state_dict().items()}
    clock = SimpleNamespace(perf_counter=lambda: float(sum(shape.numel() for shape in read)), monotonic=lambda: 0.0)
    monkeypatch.setattr(module, "time", clock)
    note = lambda model, _, options: read.append(options["input_ids"].shape)  # noqa: E731
    checkpoint.model.register_forward_pre_hook(note, with_kwargs=True)
    preparation, per_amount = measure(checkpoint, inputs, request, silent)
    assert all(torch.equal(before[name], value) for name, value in checkpoint.model.state_dict().items())
    measured, scored = clock.perf_counter(), method in ("wanda", "attribution")
    assert sum(shape[0] for shape in read) == (2 + scored) * SAMPLE_SIZE, "scored once, run twice"
    sweep(checkpoint, inputs, request)
    taken = clock.perf_counter() - measured
    assert preparation + per_amount / OVERHEAD * passes(request, inputs) == pytest.approx(taken)
    assert passes(request, inputs) == len(request.amounts) + 1, "the floor is one more pass"


def test_the_parts_of_what_is_not_stored_add_up(
    request_: SweepRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: (2.0, 0.5))
    request = checked(replace(request_, method="wanda"))
    first, second = controls(until_damaged(request), (0, 1))
    likely = 21 + 1  # 0 to 0.2 in steps of 0.01, and the floor
    whole = 2 + 0.5 * (3 + 1) + 2 * 0.5 * likely
    assert estimate(request, silent, [first, second]) == {"stored": False, "seconds": whole}
    paths = [save(make_result_of(stored)) for stored in (request, first)]
    assert estimate(request, silent, [first, second]) == {"stored": False, "seconds": 0.5 * likely}
    assert estimate(request, silent, [first]) == {"stored": True, "seconds": 0.0}
    for path in paths:
        path.unlink()
    first, *others = map(checked, every_method(request))
    scored = sum(METHODS[sweep.method].calibrated for sweep in (first, *others))
    ran = sum(0.5 * passes(sweep, prepare(sweep)) for sweep in (first, *others))
    assert estimate(first, silent, others)["seconds"] == 2 * scored + ran, "each that scores does so once"
    judged = replace(request_, num_examples=70, range_examples="all")
    assert estimate(judged, silent)["seconds"] == pytest.approx(2 + 0.5 * (3 * (1 + REST) + 1))
    monkeypatch.setattr(module, "limits", lambda: replace(HOSTED_LIMITS, job_seconds=8.0))
    assert estimate(request_, silent)["seconds"] == 2 + 0.5 * 4
    monkeypatch.setattr(module, "limits", lambda: replace(HOSTED_LIMITS, job_seconds=3.0))
    assert "about 0 minutes here, at most 0 are allowed" in refusal(estimate, request_, silent)


def test_what_a_sweep_refuses_is_refused_and_nothing_large_is_downloaded_to_be_measured(
    request_: SweepRequest, hub: LocalHub, tiny_bert: Path
) -> None:
    hub.models["owner/name"] = tiny_bert
    assert estimate(checked(SweepRequest("owner/name", "sst2", data="written")), silent) == {"download": True}
    assert "layer:0 to layer:1" in refusal(estimate, checked(replace(request_, scope="layer:7")), silent)

    with pytest.raises(InterruptedError):
        estimate(request_, Mock(side_effect=InterruptedError))
