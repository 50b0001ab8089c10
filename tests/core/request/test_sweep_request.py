"""A request, checked: defaults, bounds, hosted limits, one line for each refusal."""

from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.request import amounts, catalog, sweep_request
from core.request.amounts import parse_amounts
from core.request.sweep_request import SweepRequest, checked, source_of


def refuse(match: str, **changes: object) -> None:
    with pytest.raises(PrunescopeError, match=match) as caught:
        checked(SweepRequest(**{"checkpoint": "embedded:sst2", "task": "sst2", **changes}))
    assert "\n" not in str(caught.value)


def test_amounts_always_hold_the_baseline_in_order_without_repetition() -> None:
    assert parse_amounts(["0.5", "0.1", ".5", "5e-1"]) == (0.0, 0.1, 0.5)
    assert parse_amounts([0.1 + 0.2]) == (0.0, 0.3)
    assert amounts.amount_text(0.1 + 0.2) == "0.3"


def test_steps_end_at_the_largest_amount_or_before_it() -> None:
    assert amounts.stepped_amounts(0.05, 0.95) == parse_amounts(k / 20 for k in range(20))
    assert amounts.stepped_amounts(0.2, 0.9) == (0.0, 0.2, 0.4, 0.6, 0.8)
    assert amounts.stepped_amounts(0.1, 0.05) == (0.0,)


def test_every_method_but_the_controls_has_a_control_of_its_granularity() -> None:
    for method in catalog.METHODS.values():
        if method.is_control:
            assert method.control is None
        else:
            control = catalog.METHODS[method.control]
            assert (control.is_control, control.granularity) == (True, method.granularity)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "outside") for text in ("1", "-0.1", "1e9", "nan", "inf", "0.9999999999")),
        *((text, f"'{text}' is not a number") for text in ("half", "snan", "")),
    ],
)
def test_amounts_outside_zero_to_one_are_refused(text: str, said: str) -> None:
    with pytest.raises(PrunescopeError, match=said):
        parse_amounts([text])


def test_the_default_data_follows_the_checkpoint() -> None:
    assert checked(SweepRequest("embedded:sst2", "sst2")).data == "written"
    assert checked(SweepRequest("owner/name", "sst2")).data == "hub"


def test_refusals_name_value_bound_and_remedy(tmp_path: Path) -> None:
    refuse("unknown task 'sst5': choose one of sst2", task="sst5")
    refuse("unknown method 'magic'", method="magic")
    refuse("unknown points 'x'", points="x")
    refuse("task messages has no data on the Hub: give --data written", task="messages", data="hub")
    refuse("unknown scope 'decoder'", scope="decoder")
    refuse("unknown scope 'None'", scope=None)
    refuse("unknown embedded checkpoint 'nope'", checkpoint="embedded:nope")
    refuse("is not a checkpoint", checkpoint="../../etc/passwd/x")
    refuse("is not a checkpoint", checkpoint="owner/name@/usr/bin/python3")
    refuse("is not a data set", data="hub:owner/name@/usr/bin/python3")
    refuse("3 examples: choose 4 to", num_examples=3)
    refuse("seed -1", seed=-1)
    refuse("is not a folder", data=str(tmp_path / "absent"))
    refuse("at most 101", amounts=tuple(k / 200 for k in range(150)))
    refuse("scope 'encoder' with method 'attribution': a neuron method has no scope", method="attribution")
    for name in ("a/" * 150, "x" * 300, "nul\0byte"):  # that no file system takes
        refuse("is not a checkpoint", checkpoint=name)
        refuse("is not a folder", data=name)
    sweep_request.check_scope("layer:5", "magnitude", num_layers=6)
    with pytest.raises(PrunescopeError, match="layer:0 to layer:5"):
        sweep_request.check_scope("layer:6", "magnitude", num_layers=6)


def test_sources(tmp_path: Path) -> None:
    assert source_of("embedded:sst2") == "embedded"
    assert source_of(str(tmp_path)) == "folder"
    assert source_of("owner/name@refs-1") == "hub"
    assert source_of("bert-base-uncased") == "hub"


def test_hosted_there_are_no_folders_and_tighter_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    refuse("is not a checkpoint", checkpoint=str(tmp_path))
    refuse("not available on a hosted server", data=str(tmp_path))
    refuse("choose 4 to 512", num_examples=513)
    monkeypatch.delenv("PRUNESCOPE_HOSTED")
    monkeypatch.setenv("SPACE_ID", "someone/space")
    refuse("choose 4 to 512", num_examples=513)


def test_requests_survive_json() -> None:
    request = checked(SweepRequest("embedded:sst2", "sst2", scope="layer:2", amounts=(0.0, 0.3), num_examples=64))
    assert SweepRequest.from_json(request.to_json()) == request
