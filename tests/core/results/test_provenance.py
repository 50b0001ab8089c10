"""A result leads back to its request, and the command line to the same one."""

import shlex

import pytest

from core.findings.lab import check_in_words
from core.precompute import parse
from core.precompute import request_of as request_of_options
from core.request.amounts import stepped_amounts
from core.request.sweep_request import SweepRequest, checked
from core.results.provenance import command_line, request_of
from tests.builders import make_result


@pytest.mark.parametrize("points", ["attention", "layer", "both"])
@pytest.mark.parametrize("scope", ["encoder", "all-linear", "layer:2"])
def test_a_result_leads_back_to_its_request(points: str, scope: str) -> None:
    amounts = stepped_amounts(0.2, 0.8)
    result = make_result(amounts=amounts, points=points, scope=scope, num_examples=60, source="written")
    assert request_of(result) == SweepRequest(
        "embedded:sst2", "sst2", "magnitude", scope, points, amounts, num_examples=60, data="written"
    )


def test_a_checkpoint_on_the_hub_is_pinned_to_its_commit() -> None:
    result = make_result()
    checkpoint = result.checkpoint.model_copy(update={"source": "hub", "id": "owner/name", "revision": "abc"})
    assert request_of(result.model_copy(update={"checkpoint": checkpoint})).checkpoint == "owner/name@abc"


@pytest.mark.parametrize(
    "request_",
    [
        SweepRequest("embedded:sst2", "sst2"),
        SweepRequest("embedded:sst2", "sst2", scope="layer:3", points="both", amounts=(0.0, 0.25, 0.5)),
        SweepRequest("owner/name@v1", "mrpc", num_examples=64, data="hub", source_name="GLUE; rm -rf 'x'"),
    ],
)
def test_the_command_line_asks_for_the_same(request_: SweepRequest) -> None:
    words = shlex.split(command_line(request_))
    assert words[:3] == ["python", "-m", "core.precompute"]
    assert request_of_options(parse(words[3:])) == checked(request_)


@pytest.mark.parametrize(
    ("engine", "torch_cka", "within", "said"),
    [
        (0.0, 2.4e-6, True, ("is confirmed", "the same numbers to the last digit", "differs by 2e-06")),
        (3e-8, 2.4e-6, True, ("is confirmed", "again differs by 3e-08")),
        (0.0, 0.2, False, ("is not confirmed", "differs by 0.2")),
        (0.0, None, False, ("is not confirmed", "differs by inf")),
    ],
)
def test_a_check_is_told_in_words(engine: float, torch_cka: float | None, within: bool, said: tuple[str, ...]) -> None:
    deviations = {
        "amount": 0.5,
        "engine": {"mean": engine, "cls": 0.0},
        "torch_cka": {"mean": torch_cka, "cls": 0.0},
        "accuracy": 0.0,
        "within_tolerance": within,
    }
    sentence = check_in_words(deviations)
    assert all(part in sentence for part in (*said, "amount 0.50"))
