"""Strangers' files are read in a child process that cannot take the server down.

Each ends in an answer or one line.
"""

import base64
import gzip
import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import core.reader
from core.errors import BusyError
from core.request.catalog import MAX_NAME_CHARS, ROOT
from core.results.schema import SweepResult
from core.wall import reading, turns
from core.wall.reading import read
from tests.builders import make_result
from tests.refusals import refusal

RESULT = make_result(num_layers=2, amounts=(0.0, 0.5), num_examples=20)
ENDLESS = {
    "type": "Replace",
    "pattern": {"Regex": "."},
    "content": "aa",
}  # forty of them make a terabyte of a letter
# Reads what is asked, and does what a name says before it answers.
MOODY = """
import core.reader, os
def read(kind, files, limit):
    mood = files[0][1]
    if mood == "spin": [0 for _ in iter(int, 1)]
    if mood == "fill": b"x" * 2**31
    if mood == "die": os._exit(3)
    if mood == "print": os.write(1, b"+printed by a library\\n")
    if mood == "panic": raise BaseException("not one of Exception's")
    return '"read"'
core.reader.content_of = read
core.reader.SECONDS = 0.2
core.reader.main()
"""


ANSWER = reading._answer


@pytest.fixture(autouse=True)
def in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in a child process, even after tests of pages, which read in their own."""
    monkeypatch.setattr(reading, "_answer", ANSWER)


@pytest.fixture
def moody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READER", (*reading.READER[:1], "-c", MOODY))


def asked(name: str) -> bytes:
    return read("table", [(Path(name), name)])


MOODS = {
    "spin": "was not read within 8 seconds: try again",
    "fill": "takes too much memory: choose another",
    **dict.fromkeys(("die", "panic"), "is damaged, or made to break what reads it: choose another"),
}


@pytest.mark.usefixtures("moody")
def test_whatever_a_file_does_it_is_refused_in_one_line() -> None:
    assert asked("print") == b'"read"', "text that a library prints is no answer"
    for mood, reason in MOODS.items():
        assert refusal(asked, mood).startswith(f"{mood} {reason}")


@pytest.mark.usefixtures("moody")
def test_slow_and_busy_are_no_property_of_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BusyError):
        asked("spin")
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    monkeypatch.setattr(turns, "EACH", 0)
    with pytest.raises(
        BusyError,
        match="0 files from your network are waiting here, as many as fit: try again in",
    ):
        asked("good")


def test_files_are_read_as_they_are_and_bombs_are_refused_in_one_line(
    tmp_path: Path,
) -> None:
    """Some kilobytes of Parquet stand for gigabytes of text."""
    cells = pa.DictionaryArray.from_arrays(
        pa.array([0] * 4_000, pa.int32()), pa.array(["x" * 300_000])
    )
    pq.write_table(pa.table({"text": cells, "label": cells}), repeated := BytesIO())
    files = {
        "mine.json": RESULT.model_dump_json().encode(),
        "rows.csv": b"text,label\n" + b"x" * 100_000 + b",positive\n",
        "repeated.parquet": repeated.getvalue(),
        "zeros.json.gz": gzip.compress(bytes(65 * 2**20), 1),
        "deep.json": b"[" * 10**6 + b"]" * 10**6,
        "digits.json": b'{"schema_version":' + b"9" * 4_000_000 + b"}",
        "half-a-character.json": b'{"schema_version": 1, "key": "\\ud800"}',
    }
    answers: list[bytes | str] = []
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        order = (
            "result" if ".json" in name else "table",
            [(tmp_path / name, name)],
            2_000,
        )
        answers.append(read(*order) if len(answers) < 2 else refusal(read, *order))
    whole, rows, *refused = answers
    assert SweepResult.model_validate_json(whole) == RESULT
    assert json.loads(rows)["cells"] == {
        "text": ["x" * (MAX_NAME_CHARS + 1)],
        "label": ["positive"],
    }, "the beginning"
    faults = (
        "takes too much memory: choose another file",
        "holds more than 64 MiB",
        *["is not readable as JSON"] * 2,
        "has schema version 1",
    )
    for name, line, fault in zip([*files][2:], refused, faults, strict=True):
        assert (name in line, fault in line, line.count("\n")) == (
            True,
            True,
            0,
        ), line


def test_an_answer_that_would_fill_the_server_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(core.reader, "content_of", lambda kind, files, limit: "x" * limit)
    monkeypatch.setattr(core.reader, "MOST_CHARS", 2**20)
    lines = [
        core.reader.answer(json.dumps({"kind": "table", "files": [("", "")], "limit": n}))
        for n in (2**20, 2**21)
    ]
    assert lines[0] == "+" + "x" * 2**20
    assert "holds 2 MiB, a page takes at most 1" in lines[1]


@pytest.mark.parametrize("ends", [True, False])
def test_a_worker_ends_at_a_tokenizer_that_never_does_and_goes_on_after_what_ended_in_time(
    ends: bool,
) -> None:
    words = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    content = {
        "version": "1.0",
        "normalizer": {"type": "Sequence", "normalizers": [ENDLESS] * 40},
        "model": words,
    }
    content |= dict.fromkeys(
        ("truncation", "padding", "pre_tokenizer", "post_processor", "decoder")
    )
    packed = base64.b64encode(json.dumps({**content, "added_tokens": []}).encode()).decode()
    work = "pass" if ends else "made.encode('a film')"
    code = (
        "import base64, time, tokenizers\n"
        "from core.wall.confined import be_replaceable, within\nbe_replaceable()\n"
        f"made = tokenizers.Tokenizer.from_str(base64.b64decode('{packed}').decode())\n"
        f"with within(1): {work}\ntime.sleep(1.2)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    assert ended.returncode == (0 if ends else 1)
    assert ends or b"Timeout (0:00:01)!" in ended.stderr
