"""Strangers' files are read in a child process that cannot take the server down; each ends in an answer or one line."""

import gzip
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import BusyError, PrunescopeError
from core.results.schema import SweepResult
from core.wall import reading, turns
from core.wall.reading import Question, read, read_all
from tests.builders import make_result
from tests.refusals import refusal

RESULT = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=20)
ROWS = "text,label\nfine,positive\nbad,negative\n"
# Reads what is asked, and does what a name says before it answers.
MOODY = """
import core.reader, os, sys, time
def read(question):
    mood = question.names[0]
    if mood == "spin": [0 for _ in iter(int, 1)]
    if mood == "sleep": time.sleep(1000)
    if mood == "fill": b"x" * 2**31
    if mood == "die": os._exit(3)
    if mood == "leave": sys.exit()
    if mood == "print": os.write(1, b"+printed by a library\\n")
    if mood == "panic": raise BaseException("not one of Exception's")
    return '"read"'
core.reader.READERS = {"table": read}
core.reader.SECONDS = 0.5
core.reader.main()
"""


@pytest.fixture
def moody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READER", (*reading.READER[:1], "-c", MOODY))


def asked(*names: str) -> list[str]:
    questions = [Question("table", (name,), (name,)) for name in names]
    return [answer.decode() if isinstance(answer, bytes) else f"refused: {answer}" for answer in read_all(questions)]


@pytest.mark.usefixtures("moody")
@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("spin", "was not read within 8 seconds: try again"),
        ("sleep", "was not read within 8 seconds: try again"),
        ("die", "is damaged, or made to break what reads it: choose another"),
        ("fill", "cannot be read, it takes too much memory"),
        ("leave", "cannot be read, it is damaged"),
        ("panic", "cannot be read, it is damaged"),
    ],
)
def test_whatever_a_file_does_it_is_refused_in_one_line_and_the_others_are_read(mood: str, reason: str) -> None:
    first, bad, *rest = asked("a", mood, "b", "c")
    assert (first, rest) == ('"read"', ['"read"', '"read"'])
    assert bad.startswith(f"refused: {mood} {reason}")


@pytest.mark.usefixtures("moody")
def test_what_a_library_prints_is_no_answer() -> None:
    assert asked("print", "b") == ['"read"', '"read"']


@pytest.mark.usefixtures("moody")
def test_slow_and_busy_are_no_property_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, damaged = read_all([Question("table", (name,), (name,)) for name in ("spin", "die")])
    assert (type(slow), type(damaged)) == (BusyError, PrunescopeError)
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr(turns, "EACH", 0)
    assert (
        asked("a", "b")
        == ["refused: 0 files from your network are waiting here, as many as fit: try again in a few minutes"] * 2
    )


def test_a_result_and_a_table_are_read_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "result").write_text(RESULT.model_dump_json())
    assert SweepResult.model_validate_json(read("upload", [(tmp_path / "result", "mine.json")])) == RESULT
    (tmp_path / "rows.csv").write_text(ROWS)
    found = json.loads(read("table", [(tmp_path / "rows.csv", "rows.csv")], 1))
    assert (found["cells"], found["is_cut"]) == ({"text": ["fine"], "label": ["positive"]}, True)


RESULTS = {
    "empty.json": b"",
    "deep.json": b"[" * 10**6 + b"]" * 10**6,
    "wide.json": b'{"a":[' + b"[]," * 1_500_000 + b"[]]}",
    "digits.json": b'{"schema_version":' + b"9" * 4_000_000 + b"}",
    "half-a-character.json": b'{"schema_version": 1, "key": "\\ud800"}',
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_bomb_of_a_result_or_a_file_that_is_none_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(RESULTS[name])
    said = refusal(read, "upload", [(tmp_path / name, name)])
    assert re.match(rf"{name} (is not readable as JSON|has schema version)", said)


def test_a_file_that_grows_when_it_is_read_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "zeros.json.gz", "wb", compresslevel=1) as file:  # 3 MB that stand for 3 GB
        for _ in range(96):
            file.write(bytes(32 * 2**20))
    assert "holds more than 64 MiB" in refusal(read, "extract", [(tmp_path / "zeros.json.gz", "zeros.json.gz")])


def test_a_bomb_of_a_table_is_refused(tmp_path: Path) -> None:
    """Parquet files that promise far more than they hold."""
    cells = pa.DictionaryArray.from_arrays(pa.array([0] * 4_000, pa.int32()), pa.array(["x" * 300_000]))
    pq.write_table(pa.table({"text": cells, "label": cells}), tmp_path / "repeated.parquet")
    pq.write_table(pa.table({str(k): [1] for k in range(20_000)}), tmp_path / "columns.parquet")
    for name in ("repeated.parquet", "columns.parquet"):
        assert refusal(read, "table", [(tmp_path / name, name)], 2_000).startswith(f"{name} ")
