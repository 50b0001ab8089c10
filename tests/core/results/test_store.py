"""The result file: round trip, damage noticed, atomic writes, keys that follow content."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from builders import compress, make_result

from core.errors import PrunescopeError
from core.request.catalog import ROOT
from core.results import store
from core.results.digest import digest
from core.results.key import result_key
from core.results.schema import StopRecord, SweepResult


@pytest.fixture
def result() -> SweepResult:
    return make_result(holes=((0.5, 1, 2),))


def key_of(result: SweepResult, **changes: object) -> str:
    settings = {
        "revision": result.checkpoint.revision,
        "task": result.task,
        "pruning": result.pruning,
        "points": "attention",
        "measures": ("cka", "partial_cka"),
        "amounts": (0.0, 0.1),
        "dtype": "float32",
        **changes,
    }
    return result_key(**settings)


def test_round_trip_keeps_every_value(result: SweepResult, tmp_path: Path) -> None:
    path = store.save(result, tmp_path)
    assert path == tmp_path / f"{result.key}.json"
    assert store.load(path) == result
    older = make_result(statistics=False)
    assert store.load(store.save(older, tmp_path / "older")) == older
    text = path.read_text()
    assert "NaN" not in text
    assert json.loads(text)["frames"][10]["similarity"]["cka"]["mean"][1][2] is None
    assert [file.name for file in tmp_path.glob("*.*")] == [path.name]


def set_in(values: dict[str, Any], place: str, to: object) -> None:
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    reduce(lambda part, step: part[step], steps, values)[last] = to


@pytest.mark.parametrize(
    ("place", "to", "message"),
    [
        ("frames.3.metrics.accuracy", 0.01, "checksum"),
        ("task.source_name", "\ud800", "is not a valid result"),  # half of a character
        ("frames.1.similarity.cka.mean.0.0", 1.00001, "outside"),
        ("statistics.cka.cls.depth_gap.replicates", "", "statistics of 'cka', 'cls'"),
        ("statistics.cka.mean.survival", [], "statistics of 'cka', 'mean'"),
    ],
)
def test_an_edited_value_is_noticed(result: SweepResult, tmp_path: Path, place: str, to: object, message: str) -> None:
    path = store.save(result, tmp_path / "one.json")
    values = json.loads(path.read_text())
    set_in(values, place, to)
    path.write_text(json.dumps(values))
    with pytest.raises(PrunescopeError, match=message):
        store.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 3}, "schema version 3"),
        (
            {"schema_version": 1},
            "version 1, this program reads 2: compute it again in the Lab or with python -m core.pre",
        ),
        ({"surprise": 1}, "surprise"),
        ({"frames": [{}]}, "not a valid result"),
        ({"seconds": "soon"}, "seconds"),
        ({"similarity": {"points": ["layer.0.ffn"], "measures": {}, "length_control": [0.5]}}, "similarity.points"),
    ],
)
def test_malformed_files_are_refused_in_one_line(
    result: SweepResult, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = store.save(result, tmp_path / "one.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(PrunescopeError, match=message) as caught:
        store.load(path)
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_nothing(result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(PrunescopeError, match="No space left"):
        store.save(result, tmp_path)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
from core.request.catalog import ROOT
from core.results import store

real = getattr(os, sys.argv[2])
def die(*arguments, **options):
    if sys.argv[3] == "after":
        real(*arguments, **options)
    os.kill(os.getpid(), 9)
setattr(os, sys.argv[2], die)
store.save(store.load(Path(sys.argv[1])), Path(sys.argv[1]).parent / "out")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["fsync", "chmod", "replace"])
def test_a_process_killed_while_it_writes_leaves_no_half_result(
    result: SweepResult, tmp_path: Path, call: str, when: str
) -> None:
    path, out = store.save(result, tmp_path), tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), call, when], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [store.load(found) for found in out.glob("*.json")] == [result] * (call == "replace" and when == "after")
    parts = list(out.glob(".*"))
    store.check_writable(out)
    assert list(out.glob(".*")) == parts, "somebody may be writing it"
    for part in parts:
        os.utime(part, (1e9, 1e9))
    store.check_writable(out)
    assert not list(out.glob(".*"))
    assert store.load(store.save(result, out)) == result


def test_an_unwritable_output_is_refused_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunescopeError, match="cannot write"):
        store.check_writable(tmp_path / "file" / "below.json")
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with pytest.raises(PrunescopeError, match="this server cannot store results now") as caught:
        store.check_writable(tmp_path / "file" / "below.json")
    assert str(tmp_path) not in str(caught.value)


def test_the_key_follows_what_decides_the_numbers(result: SweepResult) -> None:
    key = key_of(result)
    assert key == key_of(result, amounts=(0.0, 0.1))
    changed = [
        key_of(result, revision="1" * 64),
        key_of(result, task=result.task.model_copy(update={"fingerprint": "0" * 64})),
        key_of(result, task=result.task.model_copy(update={"examples": result.task.examples[::-1]})),
        key_of(result, pruning=result.pruning.model_copy(update={"scope": "all-linear"})),
        key_of(result, pruning=result.pruning.model_copy(update={"controls": "wanda"})),
        key_of(result, pruning=result.pruning.model_copy(update={"stop": StopRecord(damage=0.3, amounts=(0.0, 0.1))})),
        key_of(result, points="both"),
        key_of(result, measures=("cka",)),
        key_of(result, amounts=(0.0, 0.2)),
        key_of(result, dtype="bfloat16"),
    ]
    assert len({key, *changed}) == 1 + len(changed)
    assert key == key_of(result, task=result.task.model_copy(update={"source_name": "another name"}))
    assert key == key_of(result, measures=("partial_cka", "cka"))
    controlled, control = (
        result.pruning.model_copy(update={"method": "random", "controls": controls}) for controls in ("magnitude", None)
    )
    assert key_of(result, pruning=controlled) == key_of(result, pruning=control), "the default is left out"


def reseal(path: Path, changes: dict[str, object]) -> None:
    """Edits a file and gives it a checksum that fits, as anybody can."""
    values = json.loads(path.read_text())
    for place, to in changes.items():
        set_in(values, place, to)
    del values["checksum"]
    path.write_text(json.dumps({**values, "checksum": digest(values)}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": "f" * 64}, "its key is ffffffffffff"),
        ({"key": ""}, "its key is empty"),
        ({"frames": [], "statistics": None}, "it has no frames"),
        ({"environment": {"engine": "1"}}, "names no dtype"),
        ({"environment": {"dtype": "float32"}}, "names no dtype or engine"),
        ({"environment": {"dtype": "float32", "engine": "3"}}, "its key is"),
        ({"pruning.scope": "all-linear"}, "its key is"),
        ({"task.fingerprint": "0" * 64}, "its key is"),
        ({"checkpoint.revision": "1"}, "its key is"),
        (
            {"checkpoint.num_layers": 7, **{f"frames.{k}.layer_sparsity": [0.0] * 7 for k in range(20)}},
            "its points are not those of 7 layers",
        ),
    ],
)
def test_a_key_that_does_not_follow_from_the_content_is_refused(
    result: SweepResult, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = store.save(result, tmp_path / "one.json")
    reseal(path, change)
    with pytest.raises(PrunescopeError, match=message):
        store.load(path)


def test_a_file_under_another_results_key_is_refused(result: SweepResult, tmp_path: Path) -> None:
    path = store.save(result, tmp_path)
    wrong = path.rename(tmp_path / f"{'0' * 64}.json")
    with pytest.raises(PrunescopeError, match="holds the result"):
        store.load(wrong)
    assert store.load(wrong.rename(tmp_path / "any-other-name.json")) == result


@pytest.fixture
def compressed(result: SweepResult, tmp_path: Path) -> Path:
    return compress(store.save(result, tmp_path / "shipped"))


def test_a_compressed_result_is_the_same_and_found_among_shipped_ones(
    result: SweepResult, compressed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SHIPPED_RESULTS", compressed.parent)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    store.save(result.model_copy(update={"seconds": 9.0}))
    assert store.find(result.key) == store.place_in(compressed.parent, result.key) == compressed
    assert store.load(compressed) == result
    assert store.is_shipped(result.key)
    with pytest.raises(PrunescopeError, match="holds the result"):
        store.load(compressed.rename(compressed.with_name(f"{'0' * 64}.json.gz")))


def test_a_result_that_is_computed_again_replaces_its_compressed_file(result: SweepResult, compressed: Path) -> None:
    assert store.save(result.model_copy(update={"seconds": 7.0}), compressed.parent) == compressed
    assert store.load(compressed).seconds == 7.0
    assert [path.name for path in compressed.parent.iterdir()] == [compressed.name]


@pytest.mark.parametrize("damage", [lambda whole: b"{}", lambda whole: whole[:-20], lambda whole: whole[:50] * 9])
def test_a_damaged_compressed_result_is_refused_in_one_line(compressed: Path, damage: Callable[[bytes], bytes]) -> None:
    compressed.write_bytes(damage(compressed.read_bytes()))
    with pytest.raises(PrunescopeError, match="is not readable as JSON: recompute it"):
        store.load(compressed)


def test_look_up_by_key(result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    assert store.find(result.key) is None
    path = store.save(result)
    assert store.find(result.key) == path
    for foreign in ("../secret", "", "0" * 63, "Z" * 64):
        assert store.find(foreign) is None
