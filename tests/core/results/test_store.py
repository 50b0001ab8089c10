"""The result file: round trip, damage noticed, atomic writes, keys that follow content."""

import json
import os
import signal
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from core.errors import PrunescopeError
from core.request.catalog import ROOT
from core.results import store
from core.results.digest import digest
from core.results.key import result_key
from core.results.schema import StopRecord, SweepResult
from tests.builders import compress, make_result


@pytest.fixture
def result() -> SweepResult:
    return make_result(holes=((0.5, 1, 2),))


def test_round_trip_keeps_every_value(result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path))
    assert store.find(result.key) is None
    path = store.save(result)
    assert store.find(result.key) == path == tmp_path / f"{result.key}.json"
    assert [store.find(foreign) for foreign in ("../secret", "", "0" * 63, "Z" * 64)] == [None] * 4
    assert store.load(path) == result
    older = make_result(statistics=False)
    assert store.load(store.save(older, tmp_path / "older")) == older
    text = path.read_text()
    assert "NaN" not in text
    assert json.loads(text)["frames"][10]["similarity"]["cka"]["mean"][1][2] is None
    assert [file.name for file in tmp_path.glob("*.*")] == [path.name]
    wrong = path.rename(tmp_path / f"{'0' * 64}.json")
    with pytest.raises(PrunescopeError, match="holds the result"):
        store.load(wrong)
    assert store.load(wrong.rename(tmp_path / "any-other-name.json")) == result


def set_in(values: dict[str, Any], place: str, to: object) -> None:
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    reduce(lambda part, step: part[step], steps, values)[last] = to


ANOTHER_KEY = "does not match its checksum or key: it was edited"


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames.3.metrics.accuracy": 0.01}, "checksum"),
        ({"key": "f" * 64}, ANOTHER_KEY),
        ({"pruning.scope": "all-linear"}, ANOTHER_KEY),
        ({"task.source_name": "\ud800"}, "is not a valid result"),  # half of a character
        ({"frames.1.similarity.cka.mean.0.0": 1.00001}, "outside"),
        ({"statistics.cka.cls.depth_gap.replicates": ""}, "statistics of 'cka', 'cls'"),
        ({"statistics.cka.mean.survival": []}, "statistics of 'cka', 'mean'"),
        (
            {"schema_version": 1},
            "version 1, this program reads 2: compute it again in the Lab or with python",
        ),
        ({"surprise": 1}, "surprise"),
        ({"frames": [], "statistics": None}, "it has no frames"),
        ({"environment": {"engine": "1"}}, "no frames, dtype or engine"),
        ({"seconds": "soon"}, "seconds"),
        ({"similarity.points": ["layer.0.ffn"]}, "similarity.points"),
        (
            {"checkpoint.num_layers": 7, **{f"frames.{k}.layer_sparsity": [0.0] * 7 for k in range(20)}},
            "its points are not those of 7 layers",
        ),
    ],
)
def test_an_edited_file_is_refused_in_one_line(
    result: SweepResult, tmp_path: Path, changes: dict[str, object], message: str, sealed: bool
) -> None:
    """Also if it has a checksum that fits, as anybody can give it."""
    path = store.save(result, tmp_path / "one.json")
    values = json.loads(path.read_text())
    for place, to in changes.items():
        set_in(values, place, to)
    if sealed and message not in ("checksum", "is not a valid result"):
        del values["checksum"]
        values["checksum"] = digest(values)
    path.write_text(json.dumps(values))
    with pytest.raises(PrunescopeError, match=message) as caught:
        store.load(path)
    assert "\n" not in str(caught.value)


KILLED = """
import os, sys
from pathlib import Path
from core.results import store

real = getattr(os, sys.argv[2])
def die(*arguments, **options):
    if sys.argv[3] == "after":
        real(*arguments, **options)
    os.kill(os.getpid(), 9)
setattr(os, sys.argv[2], die)
store.save(store.load(Path(sys.argv[1])), Path(sys.argv[1]).parent / "out")
"""


@pytest.mark.parametrize(("call", "when"), [("fsync", "before"), ("replace", "before"), ("replace", "after")])
def test_a_process_killed_while_it_writes_leaves_no_half_result(
    result: SweepResult, tmp_path: Path, call: str, when: str
) -> None:
    path, out = store.save(result, tmp_path), tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), call, when], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [store.load(found) for found in out.glob("*.json")] == [result] * (when == "after")
    parts = list(out.glob(".*"))
    store.check_writable(out)
    assert list(out.glob(".*")) == parts, "somebody may be writing it"
    for part in parts:
        os.utime(part, (1e9, 1e9))
    store.check_writable(out)
    assert not list(out.glob(".*"))
    assert store.load(store.save(result, out)) == result


def test_an_unwritable_output_is_refused_and_a_failed_write_leaves_nothing(
    result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full_disk)
        with pytest.raises(PrunescopeError, match="No space left"):
            store.save(result, tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(PrunescopeError, match=f"cannot write {tmp_path}"):
        store.check_writable(tmp_path / "file" / "below.json")
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    with pytest.raises(PrunescopeError, match="cannot write the server's results") as caught:
        store.check_writable(tmp_path / "file" / "below.json")
    assert str(tmp_path) not in str(caught.value)


def key_of(result: SweepResult, pruning: dict[str, object] | None = None, **changes: object) -> str:
    settings = {
        "revision": result.checkpoint.revision,
        "task": result.task,
        "pruning": result.pruning.model_copy(update=pruning),
        "points": "attention",
        "measures": ("cka", "partial_cka"),
        "amounts": (0.0, 0.1),
        "dtype": "float32",
        **changes,
    }
    return result_key(**settings)


def test_the_key_follows_what_decides_the_numbers(result: SweepResult) -> None:
    key, task = key_of(result), result.task
    changed = [
        key_of(result, revision="1" * 64),
        key_of(result, task=task.model_copy(update={"fingerprint": "0" * 64})),
        key_of(result, task=task.model_copy(update={"examples": task.examples[::-1]})),
        key_of(result, {"scope": "all-linear"}),
        key_of(result, {"controls": "wanda"}),
        key_of(result, {"stop": StopRecord(damage=0.3, amounts=(0.0, 0.1))}),
        key_of(result, points="both"),
        key_of(result, measures=("cka",)),
        key_of(result, amounts=(0.0, 0.2)),
        key_of(result, dtype="bfloat16"),
        key_of(result, against="1" * 64),
    ]
    assert len({key, *changed}) == 1 + len(changed)
    assert key == key_of(result, task=task.model_copy(update={"source_name": "another name"}))
    assert key == key_of(result, measures=("partial_cka", "cka"))
    control, default = (key_of(result, {"method": "random", "controls": known}) for known in ("magnitude", None))
    assert control == default, "the default is left out"


def test_a_compressed_result_is_the_same_and_found_among_shipped_ones(
    result: SweepResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressed = compress(store.save(result, tmp_path / "shipped"))
    monkeypatch.setattr(store, "SHIPPED_RESULTS", compressed.parent)
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    store.save(result.model_copy(update={"seconds": 9.0}))
    assert store.find(result.key) == store.place_in(compressed.parent, result.key) == compressed
    assert store.load(compressed) == result
    assert store.is_shipped(result.key)
    assert store.save(result.model_copy(update={"seconds": 7.0}), compressed.parent) == compressed, "it is replaced"
    assert store.load(compressed).seconds == 7.0
    assert [path.name for path in compressed.parent.iterdir()] == [compressed.name]
    whole = compressed.read_bytes()
    for damaged in (b"{}", whole[:-20], whole[:50] * 9):
        compressed.write_bytes(damaged)
        with pytest.raises(PrunescopeError, match="is not readable as JSON: recompute it"):
            store.load(compressed)
