"""Interrupted sweeps go on in their middle, to the same bits, and never on numbers that might differ."""

import json
from pathlib import Path

import pytest

from core.request.catalog import MEASURES
from core.results.schema import SweepResult
from core.sweep.journal import Journal
from core.sweep.runner import Progress
from core.sweep.sweep import FrameReady, sweep
from tests.core.sweep.test_shared import numbers
from tests.core.sweep.test_sweep import parts

MADE_BY = {"key": "k", "threads": 1}
OPTIONS = {"amounts": (0.0, 0.2, 0.4, 0.6), "num_examples": 40, "measures": tuple(MEASURES), "range_examples": "all"}


def interrupted(folder: Path, glue: Path, journal: Journal, frames: int, **options: object) -> SweepResult:
    """Run a sweep to its end; before that, run it with a journal and stop it in the pass after some frames."""
    checkpoint, inputs, request, _ = parts(folder, glue, **{**OPTIONS, **options})
    *_, whole = sweep(checkpoint, inputs, request)
    events = sweep(checkpoint, inputs, request, journal=journal)
    for event in events:
        if isinstance(event, FrameReady) and event.frame.amount == request.amounts[frames - 1]:
            break
    next(events)  # into the next amount
    events.close()
    assert isinstance(whole, SweepResult)
    return whole


def resumed(folder: Path, glue: Path, journal: Journal, **options: object) -> tuple[SweepResult, set[float]]:
    """Run a sweep with a journal; return its result and the amounts whose forward passes it made."""
    checkpoint, inputs, request, _ = parts(folder, glue, **{**OPTIONS, **options})
    events = list(sweep(checkpoint, inputs, request, journal=journal))
    assert [event.frame.amount for event in events if isinstance(event, FrameReady)] == list(events[-1].amounts)
    assert isinstance(events[-1], SweepResult)
    progress = [event for event in events if isinstance(event, Progress) and event.amount is not None]
    assert all(event.done <= event.total for event in progress)
    return events[-1], {event.amount for event in progress if event.amount is not None}


@pytest.mark.parametrize("method", ["magnitude", "attribution-residual"])
def test_a_resumed_sweep_measures_what_is_missing_and_gives_the_same_bits(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, method: str
) -> None:
    options = {"method": method, "scope": "encoder" if method == "magnitude" else None}
    journal = Journal(tmp_path / "k.part.jsonl", MADE_BY)
    whole = interrupted(tiny_bert, glue_folder, journal, 3, **options)
    again = Journal(tmp_path / "k.part.jsonl", MADE_BY)
    result, measured = resumed(tiny_bert, glue_folder, again, **options)
    assert numbers(result) == numbers(whole)
    assert measured == {0.0, 0.6}, "the unpruned model, which the others are compared with, and what was missing"
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_that_had_reached_its_damage_stops_there_again(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    options = {"until_damage": 0.1, "amounts": (0.0, 0.2, 0.9, 0.95)}
    checkpoint, inputs, request, _ = parts(tiny_bert, glue_folder, **{**OPTIONS, **options})
    journal = Journal(tmp_path / "k.part.jsonl", MADE_BY)
    *_, whole = sweep(checkpoint, inputs, request, journal=journal)
    assert isinstance(whole, SweepResult)
    assert len(whole.frames) < 4
    result, measured = resumed(tiny_bert, glue_folder, journal, **options)
    assert numbers(result) == numbers(whole)
    assert measured == {0.0}


def test_an_unfinished_line_is_cut_off(tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "k.part.jsonl"
    whole = interrupted(tiny_bert, glue_folder, Journal(path, MADE_BY), 3)
    path.write_bytes(path.read_bytes()[:-100])  # killed while it wrote the last amount
    result, measured = resumed(tiny_bert, glue_folder, Journal(path, MADE_BY))
    assert numbers(result) == numbers(whole)
    assert measured == {0.0, 0.4, 0.6}
    assert [*Journal(path, MADE_BY).read()] == [0.2, 0.4, 0.6], "what was added after the cut can be read"


def test_a_damaged_line_takes_those_after_it_along(tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "k.part.jsonl"
    interrupted(tiny_bert, glue_folder, Journal(path, MADE_BY), 3)
    head, first, second, rest = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([head, first.replace(b'"frame"', b'"fame"'), second, rest]))
    assert Journal(path, MADE_BY).read() == {}


def test_a_journal_of_another_sweep_or_software_is_thrown_away(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "k.part.jsonl"
    interrupted(tiny_bert, glue_folder, Journal(path, MADE_BY), 2)
    assert Journal(path, {**MADE_BY, "threads": 2}).read() == {}
    assert Journal(path, MADE_BY).read() == {}, "thrown away for good"


@pytest.mark.parametrize("content", [b"", b"{"], ids=["empty", "without its head"])
def test_a_journal_without_its_head_is_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "k.part.jsonl"
    path.write_bytes(content)
    assert Journal(path, MADE_BY).read() == {}
    (head, end) = path.read_bytes().split(b"\n")
    assert (json.loads(head), end) == (MADE_BY, b""), "ready for further amounts"
