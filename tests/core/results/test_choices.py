"""Which results belong together, which is offered first, and by which labels."""

import pytest

from core.results.choices import (
    companions,
    counterpart,
    distinguishing_labels,
    everywhere,
    family_of,
    isolated,
    methods_beside,
    offered,
)
from core.results.library import Entry, entry_of
from core.results.schema import SweepResult
from tests.builders import against, make_result
from tests.core.findings.made import twin


def result(**settings: object) -> SweepResult:
    return make_result(**{"num_layers": 2, "amounts": (0.0, 0.5), "num_examples": 20, **settings})


def made(**settings: object) -> Entry:
    return entry_of(result(**settings))


@pytest.mark.parametrize(
    ("results", "labels"),
    [
        (
            [result(), result(method="random", seed=2)],
            ["", "Random pruning of the encoder, as magnitude prunes (seed 2)"],
        ),
        (
            [result(), result(source="written"), result(points="both")],
            [
                " · attention blocks · 20 examples of SST-2 validation, GLUE",
                " · attention blocks · 20 SST-2-like examples, written for Prunescope",
                " · attention blocks and layer outputs · 20 examples of SST-2 validation, GLUE",
            ],
        ),
        ([result(), result(amounts=(0.0, 0.2, 0.5))], [" (1 of 2)", " (2 of 2)"]),
        (
            [result(), against(result(), 3, name="owner/base")],
            [" · MiniLM-L6, fine-tuned on SST-2", " · MiniLM-L6, fine-tuned on SST-2, against owner/base"],
        ),
    ],
)
def test_labels_say_the_pruning_and_what_differs_and_no_two_are_the_same(
    results: list[SweepResult], labels: list[str]
) -> None:
    entries = [entry_of(one) for one in results]
    found = distinguishing_labels(entries)
    assert list(found) == [entry.key for entry in entries]
    assert [label.removeprefix("Magnitude pruning of the encoder") for label in found.values()] == labels


def test_a_result_is_judged_beside_its_control_and_its_smaller_steps() -> None:
    magnitude = made()
    beside = [
        *(made(method="random", seed=seed) for seed in (0, 1)),
        made(amounts=(0.0, 0.1), until_damage=0.3),
    ]
    strangers = [
        made(scope="layer:1"),
        made(method="random", scope="all-linear"),
        made(method="random", controls="wanda"),
        made(method="random-neuron", scope=None),
        made(method="random", points="layer"),
        made(method="random").model_copy(update={"fingerprint": "other"}),
        made(method="random").model_copy(update={"checkpoint": "owner/name"}),
    ]
    assert companions(magnitude, [magnitude, *beside, *strangers]) == tuple(beside)
    assert companions(beside[0], [magnitude, *beside]) == ()


def test_layers_alone_and_their_controls_have_points_of_their_own() -> None:
    control, same, another = (
        made(method="random", seed=seed, **settings)
        for seed, settings in (
            (1, {}),
            (1, {"scope": "layer:0", "points": "layer"}),
            (2, {"scope": "layer:0", "points": "layer"}),
        )
    )
    method, alone = made(), made(scope="layer:0", points="layer")
    every = [method, alone, control, same, another]
    assert isolated(method, every) == (alone, same, another)
    assert isolated(control, every) == (same,), "that of its own seed"
    elsewhere = [alone.model_copy(update={"fingerprint": "other"}), alone.model_copy(update={"checkpoint": "a/b"})]
    assert isolated(method, elsewhere) == ()


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


def test_the_methods_beside_a_result_are_whole_sweeps_measured_alike_one_each() -> None:
    magnitude, wanda, all_linear = (made(**settings) for settings in ({}, {"method": "wanda"}, {"scope": "all-linear"}))
    others = [
        made(**settings)
        for settings in (
            {"method": "random"},
            {"scope": "layer:1"},
            {"points": "both"},
            {"source": "written"},
            {"method": "wanda", "until_damage": 0.3},
            {"method": "wanda", "amounts": (0.0, 0.4)},
        )
    ]
    assert methods_beside(magnitude, [magnitude, wanda, all_linear, *others]) == (magnitude, wanda, all_linear)


def test_the_same_pruning_everywhere_is_one_sweep_of_each_checkpoint_and_task() -> None:
    sst2, cola = (made(task=task) for task in ("sst2", "cola"))
    others = [
        made(**settings)
        for settings in (
            {"amounts": (0.0, 0.4)},
            {"task": "cola", "method": "wanda"},
            {"task": "cola", "method": "random"},
            {"task": "cola", "scope": "all-linear"},
            {"task": "cola", "points": "layer"},
            {"task": "cola", "until_damage": 0.3},
            {"task": "qnli", "source": "written"},
        )
    ]
    against_another = entry_of(against(result(task="qqp"), 3))
    assert everywhere(sst2, [sst2, *others, against_another, cola]) == (sst2, cola)
    assert everywhere(against_another, [sst2, against_another, cola]) == ()


def test_a_result_against_another_checkpoint_belongs_beside_no_other() -> None:
    magnitude, control = made(), made(method="random", until_damage=0.3)
    beside = [entry_of(against(one, 3)) for one in (result(), result(method="random", until_damage=0.3))]
    alone = [made(scope="layer:0", points="layer"), entry_of(against(result(scope="layer:0"), 3))]
    everything = [magnitude, control, *beside, *alone]
    assert companions(magnitude, everything) == (control,)
    assert isolated(magnitude, everything) == (alone[0],)
    assert companions(beside[0], everything) == isolated(beside[0], everything) == ()
    assert methods_beside(magnitude, everything) == (magnitude,)
    assert counterpart(beside[0], [control, magnitude, beside[0]]) == magnitude, "the same pruning without it"
    wanda = made(method="wanda")
    assert counterpart(magnitude, [magnitude, *beside, wanda]) == wanda


def test_seed_twins_without_pruning_are_offered_only_where_there_is_nothing_else() -> None:
    yardstick, pruned = twin(1, 2, 0.7), against(result(), 2)
    pretrained = against(result(amounts=(0.0,)), 3, name="pretrained")
    entries = [entry_of(one) for one in (yardstick, pruned, pretrained)]
    assert offered(entries) == entries[1:], "another checkpoint is no twin"
    assert offered(entries, [yardstick.key]) == entries
    assert offered(entries[:1]) == entries[:1]
    whole, fine = made(), made(method="attribution", scope=None, until_damage=0.3)
    assert offered([fine, whole]) == [whole], "nor are sweeps that stop at a damage"
    assert offered([fine, whole], [fine.key]) == [fine, whole]
    assert offered([fine]) == [fine]
    names = ["embedded:sst2", "recipe:minilm-l6-sst2-seed-1", "sst2", "owner/sst2", "embedded:none"]
    assert [family_of(name) for name in names] == ["minilm-l6-sst2", "minilm-l6-sst2", "", "", ""]
