"""All sentences over a set of facts, against `said.txt`, which a person has read; and what holds for each of them.

`python -m tests.core.findings.test_said` writes the file again: read its difference before it is committed.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from core.findings.claim import Reason, Verdict, verdict
from core.findings.grid import arranged, grid_rows
from core.findings.profiles import profiled
from core.findings.replication import replication
from core.findings.sentences import examples_of
from core.findings.tables import criteria_table, numbers_table, paired_table
from core.findings.words import Said
from core.findings.words.compare import compare_notes, compare_said, profile_sentence
from core.findings.words.grid import grid_heading, grid_reasons
from core.findings.words.lab import check_sentence, key_figures, reading_note
from core.findings.words.layers import layers_said
from core.findings.words.overview import (
    caution,
    heading_of,
    length_sentence,
    overview_heading,
    overview_said,
    replication_sentences,
    verdict_sentence,
)
from core.findings.words.sentences import prediction_note, prediction_sentence, sentences_said
from core.request.catalog import ROOT
from core.results.prediction import Prediction
from core.results.schema import ColumnsRecord, FileRecord, SweepResult
from tests.builders import against, make_result, with_own_key
from tests.core.findings.test_against import MATRICES, UNPRUNED, on
from tests.core.findings.test_claim import COARSE, SEEDS, network, seeds, working_to
from tests.core.findings.test_compare import AMOUNTS, NONE_RIGHT, answering, declined, result
from tests.core.findings.test_layers import NEVER, OTHER, SAME, controls, falling, measured, undefined_first
from tests.core.findings.test_overview import HELD, holding_to, proportional, result_with, swapped
from tests.core.findings.test_profiles import MAGNITUDE, WANDA
from tests.core.findings.test_profiles import SEEDS as FALLING
from tests.core.findings.test_replication import row
from tests.core.findings.test_sentences import made
from tests.core.findings.test_verdicts import network as edge_network
from tests.core.findings.test_verdicts import seeds as at_edge

METHODS = ROOT / "pages" / "methods.md"
FILE = Path(__file__).with_name("said.txt")
BROKEN = [working_to(seed, 0.04) for seed in SEEDS]
UNITS = {"method": "attribution", "scope": None}


def lines(said: Said) -> list[str]:
    return [f"# {said.heading}", *said.sentences]


def judged(*shares: float) -> dict[str, Verdict]:
    return {f"Task {k}": verdict(network(share), SEEDS) for k, share in enumerate(shares, 1)}


def overviews() -> Iterator[str]:
    for share in (0.7, 0.9, 0.55, 0.3, 0.78, 0.5):
        yield from lines(overview_said(network(share), SEEDS, "mean"))
    for shares in ((0.7, 0.71), (0.9, 0.9), (0.78, 0.78), (0.7, 0.9), (0.9, 0.4)):
        yield heading_of(judged(*shares), "Wanda")
    drawn = verdict(SEEDS[0], [])
    yield heading_of({"SST-2": drawn, "CoLA": drawn}, "Random pruning")
    for known, beside in (
        (SEEDS[0], []),
        (network(scope="layer:1"), []),
        (network(statistics=False), SEEDS),
        (network(), []),
        (network(), SEEDS[:4]),
        (network(), [*SEEDS[:3], *seeds(0.7, 0.71, 0.69, 0.7, 0.7, amounts=COARSE)[3:]]),
        (network(0.9), seeds(0.9, 0.2, 0.7)),
        (network(0.9), BROKEN),
        (against(network(), 4, cell=lambda amount, row, column: 1 - abs(row - column)), []),
        (network(amounts=(0.0,)), []),
    ):
        yield from lines(overview_said(known, beside, "mean"))


def holdings() -> Iterator[str]:
    lowest = ((0.99, 0.95, 0.8, 0.7), (0.99, 0.95, 0.92, 0.7), (0.8,) * 4, (0.91,) * 4, (0.99, 0.95, 0.92, 0.896))
    for known in (
        *(holding_to(0.4, proportional(*own)) for own in lowest),
        holding_to(0.4, lambda amount, point, size: 1.0 if point else None),
        holding_to(0.4, lambda amount, point, size: None),
        holding_to(0.0),
        holding_to(None, reason="no lead"),
        make_result(**HELD),
        working_to(make_result(**HELD, **UNITS), 0.4),
        working_to(make_result(**HELD, scope="layer:1"), 0.4),
    ):
        yield overview_said(known, [], "mean").sentences[0]


def layer_pages() -> Iterator[str]:
    three = falling(0.6, 0.4, 0.2)
    for known, chosen, beside in (
        (measured((0.55, 0.6, 0.66), (0.46, 0.5, 0.54), (0.394, 0.432, 0.468)), "3", []),
        (measured((0.7, 0.8, 0.8), (0.68, 0.75, 0.8)), "1", []),
        (working_to(three, 0.4), "1", controls(SAME, SAME, SAME, SAME, SAME)),
        (working_to(three, 0.0), "3", controls(SAME, OTHER, OTHER)),
        (falling(0.6, 0.2, 0.2), "2", controls(SAME, NEVER)),
        (three, "2", controls(NEVER)),
        (three, "2", [falling(0.6, 0.4, 0.2, method="random", prunable_sparsity=lambda amount: amount / 2)]),
        (falling(0.9, 0.9), "1", []),
        (falling(0.4, 0.4), "1", []),
        (falling(0.4), "1", []),
        (falling(0.4, 0.2, **UNITS), "1", []),
        (falling(0.9, 0.2, scope="layer:1", points="layer"), "2", []),
        (falling(0.4, 0.2, scope="layer:0", points="layer"), "1", []),
        (controls(SAME)[0], "1", []),
        (undefined_first(0.4, 0.4), "1", []),
        (make_result(num_layers=2, own_cka=lambda amount, point, size: None), "1", []),
        (falling(0.4, 0.2, amounts=(0.0,)), "1", []),
        (on(MATRICES), "3", []),
        (on({0.0: ((0.5, 0.3, 0.1), (0.49, 0.6, 0.57), (0.1, 0.57, 0.6)), 0.3: UNPRUNED}), "1", []),
        (on(dict.fromkeys((0.0, 0.3), ((0.5,) * 3,) * 3)), "1", []),
        (against(make_result(num_layers=2), 2, cell=lambda amount, row, column: None), "1", []),
    ):
        yield from lines(layers_said(known, chosen, beside, "mean"))
    yield from lines(layers_said(falling(0.4, 0.2), "2", [], "mean", measure="partial_cka"))
    twelve = make_result(num_layers=12, amounts=AMOUNTS, own_cka=lambda amount, point, size: 1 - amount * (point > 8))
    yield from lines(layers_said(twelve, "12", [], "mean", 0.95))


def comparisons() -> Iterator[str]:
    one = answering(result(), {**NONE_RIGHT, 0.3: range(30), 0.6: range(30), 0.9: range(2)})
    other = answering(result(method="wanda"), {**NONE_RIGHT, 0.3: range(10), 0.6: range(10), 0.9: range(20)})
    drawn = [declined(0.7, method="random", seed=seed, num_examples=200) for seed in range(5)]
    alone = result(scope="layer:0", prunable_sparsity=lambda amount: amount / 6)
    elsewhere = with_own_key(
        one, checkpoint=one.checkpoint.model_copy(update={"id": "owner/name", "revision": "1" * 64})
    )
    for first, second, beside in (
        (one, other, []),
        (declined(0.7), declined(0.9, method="wanda"), []),
        (declined(0.9, num_examples=200), drawn[3], drawn),
        (result(), alone, []),
        (one, elsewhere, []),
        (one, one, []),
        (working_to(one, 0.3), working_to(result(**UNITS), 0.9), []),
        (working_to(one, 0.0), working_to(other, 0.3), []),
    ):
        yield from lines(compare_said(first, second, "mean", beside))
    yield from compare_notes(MAGNITUDE, make_result(points="layer", num_examples=20, amounts=(0.0, 0.5)), "damage")
    yield from compare_notes(on(MATRICES), result(), "damage")
    yield from map(str, paired_table([], ("a", "b")))
    yield profile_sentence(profiled([(MAGNITUDE, FALLING), (WANDA, ())], "mean"), "mean")
    yield profile_sentence(profiled([(network(), ())], "mean"), "mean")


def replications() -> Iterator[str]:
    rows = [row(0.7, 0.7), row(0.5, 0.48, task="cola", num_layers=6)]
    (unjudged,) = grid_rows([edge_network(0.9, task="qnli")])
    for known in (rows, [row(0.9, 0.7), row(0.9, 0.9, task="cola")], [*rows, unjudged]):
        found = replication(known)
        assert found
        yield from replication_sentences(found, "magnitude pruning")


def grids() -> Iterator[str]:
    for results in ([edge_network(0.9), *at_edge(0.7)], [edge_network(0.9)], [edge_network(0.9, points="layer")]):
        rows = grid_rows(results)
        grid = arranged(rows, [row.key for row in rows])
        yield from filter(None, (grid_heading(grid), grid_reasons(grid)))


def cautions() -> Iterator[str]:
    names = with_own_key(
        make_result(num_examples=100),
        task=make_result(num_examples=100).task.model_copy(
            update={"label_names": tuple("abcdefghij"), "gold": (0, 1) * 50}
        ),
    )
    hub = with_own_key(swapped(45), checkpoint=swapped(45).checkpoint.model_copy(update={"source": "hub"}))
    for known in (
        swapped(10),
        swapped(45),
        hub,
        result_with("sst2", [0, 1] * 20, [0, 1] * 20),
        result_with("sst2", [0] * 99 + [1], [0] * 100),
        names,
    ):
        yield caution(known)
    bare = make_result(num_layers=2)
    for control in ((0.81, 0.13), (None, None)):
        similarity = bare.similarity.model_copy(update={"length_control": control})
        yield length_sentence(bare.model_copy(update={"similarity": similarity}))


def labs() -> Iterator[str]:
    for known in (holding_to(0.4), holding_to(0.0), holding_to(0.6), holding_to(None), on(MATRICES), falling(0.4, 0.2)):
        yield ", ".join(f"{title}: {value}" for title, value in key_figures(known, "mean").items())
    deviations = {"engine": {"cka": 1e-7}, "others": {}, "accuracy": 0.0, "torch_cka": {"mean": 2e-5}, "amount": 0.5}
    yield check_sentence({**deviations, "within_tolerance": True})
    yield check_sentence({**deviations, "engine": {"cka": None}, "within_tolerance": False})
    columns = {"columns": ColumnsRecord(text=("title", "body"), label="topic"), "guessed": ("label",)}
    files = (FileRecord(name="mail.csv", sha256="0" * 64, rows=(0, 40)),)
    task = make_result().task.model_copy(update={**columns, "files": files, "label_map": {"1": "spam", "?": None}})
    yield reading_note(task)


def flips() -> Iterator[str]:
    whole, stays = made(), made(((1, (1,) * 4), (0, (1,) * 4)))
    for known in (whole, stays, whole.model_copy(update={"frames": whole.frames[:1]})):
        yield from lines(sentences_said(known, examples_of(known)))
    for positive in ((0.9, 0.8), (0.9, 0.4), (0.9, 0.4, 0.8, 0.3)):
        asked = Prediction(
            labels=("negative", "positive"),
            amounts=tuple(k / 10 for k in range(len(positive))),
            probabilities=tuple((1 - p, p) for p in positive),
            num_tokens=200,
            num_unknown=1,
        )
        yield prediction_sentence(asked)
    yield prediction_note(asked)


def tables() -> Iterator[str]:
    known, beside = working_to(network(0.9), 0.1, shown_broken_from=0.21), SEEDS
    for table in (criteria_table(known, beside), numbers_table(known, beside), criteria_table(network(), SEEDS[:1])):
        yield from (" | ".join(cells.values()) for cells in table)


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "Overview": overviews,
    "Overview, function beside form": holdings,
    "Overview, other checkpoints": replications,
    "Grid": grids,
    "Cautions": cautions,
    "Layers": layer_pages,
    "Compare": comparisons,
    "Lab": labs,
    "Sentences": flips,
    "Tables of numbers": tables,
}


def written() -> str:
    parts = (f"==== {page}\n" + "\n".join(said()) for page, said in PAGES.items())
    return "\n\n".join(parts) + "\n"


def test_all_that_is_said_has_been_read() -> None:
    assert written() == FILE.read_text("utf-8"), "read what changes, then python -m tests.core.findings.test_said"


@pytest.mark.parametrize("page", PAGES)
def test_what_holds_for_every_sentence(page: str) -> None:
    for sentence in PAGES[page]():
        assert sentence.strip() == sentence
        assert not re.search(r"  |''|“”|\(\)|\.\.|nan|None[^,]|(?<!\w)-\d|\{|\}|_", sentence), sentence


def test_methods_explains_every_reason() -> None:
    rows = re.findall(r"^\| ([a-z -]+) \| [A-Z].*\. \|$", METHODS.read_text("utf-8"), re.MULTILINE)
    assert set(rows) == set(get_args(Reason))


def test_a_speaker_says_what_the_overview_does() -> None:
    known: SweepResult = network(0.9)
    said = overview_said(known, SEEDS, "mean")
    assert said.heading == overview_heading([known], [SEEDS])
    assert said.sentences[1] == verdict_sentence(known, SEEDS)


if __name__ == "__main__":
    FILE.write_text(written(), "utf-8")
