"""Which results are offered first, and by which names."""

from core.results.choices import counterpart, told_apart
from core.results.library import entry_of
from core.results.schema import SweepResult
from tests.builders import make_result


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20, **settings})


def test_what_all_share_is_not_repeated() -> None:
    entries = [entry_of(result()), entry_of(result(method="random", seed=2))]
    assert list(told_apart(entries).values()) == [
        "Magnitude pruning of the encoder",
        "Random pruning of the encoder (seed 2)",
    ]


def test_what_differs_is_said_after_the_pruning() -> None:
    entries = [entry_of(result()), entry_of(result(source="written")), entry_of(result(points="both"))]
    assert list(told_apart(entries).values()) == [
        "Magnitude pruning of the encoder · attention blocks · 20 examples of SST-2 validation, GLUE",
        "Magnitude pruning of the encoder · attention blocks · 20 SST-2-like examples, written for Prunescope",
        "Magnitude pruning of the encoder · attention blocks and layer outputs · 20 examples of SST-2 validation, GLUE",
    ]


def test_two_results_never_have_the_same_name() -> None:
    entries = [entry_of(result()), entry_of(result(amounts=(0.0, 0.2, 0.5)))]
    assert list(told_apart(entries).values()) == [
        "Magnitude pruning of the encoder (1 of 2)",
        "Magnitude pruning of the encoder (2 of 2)",
    ]
    assert list(told_apart(entries)) == [entry.key for entry in entries]


def test_a_method_is_compared_with_its_control_and_a_control_with_its_method() -> None:
    wanda, alone, magnitude, control, units = (
        entry_of(one)
        for one in (
            result(method="wanda"),
            result(scope="layer:1"),
            result(),
            result(method="random", seed=0),
            result(method="attribution", scope=None),
        )
    )
    wanda = wanda.model_copy(update={"fingerprint": "0" * 64})
    among = [wanda, alone, magnitude, control, units]
    assert counterpart(magnitude, among) == control
    assert counterpart(control, among) == magnitude
    assert counterpart(units, among) == alone, "the first on the same examples"
    assert counterpart(wanda, among) == alone, "no other on its examples: the first"
    assert counterpart(magnitude, [magnitude]) is None
