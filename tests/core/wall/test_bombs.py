"""Small files that would take much of a server: refused by a bound or at the wall, or shown at a bounded price."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

import core.reader
from core.charts import sentences
from core.findings.sentences import examples_of
from core.request.catalog import MAX_NAME_CHARS, ROOT
from core.wall.reading import Question, read
from tests.builders import make_result

ENDLESS = {"type": "Replace", "pattern": {"Regex": "."}, "content": "aa"}  # forty of them make a terabyte of a letter


def test_a_strip_has_no_more_cells_than_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    result = make_result(num_layers=2, num_examples=100)
    frames = tuple(f.model_copy(update={"predictions": (k % 2,) * 100}) for k, f in enumerate(result.frames))
    restless = result.model_copy(update={"frames": frames})
    monkeypatch.setattr(sentences, "MOST_CELLS", 10 * len(frames) + 5)
    strip = sentences.flip_scene(restless, examples_of(restless)).views["strip"]
    assert len(strip.datasets["cells"]) == 10 * len(frames)
    assert strip.title == "The first 10 examples, earliest flip on top"


def test_cells_of_a_table_are_cut_for_a_page(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"text,label\n{'x' * 100_000},a\n")
    cells = json.loads(read("table", [(tmp_path / "rows.csv", "rows.csv")], 10))["cells"]
    assert cells == {"text": ["x" * (MAX_NAME_CHARS + 1)], "label": ["a"]}


def test_an_answer_that_would_fill_the_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core.reader, "READERS", {"table": lambda question: "x" * int(question.names[0])})
    monkeypatch.setattr(core.reader, "MOST_CHARS", 2**20)
    assert core.reader.answer(Question("table", (), (f"{2**20}",))) == "+" + "x" * 2**20
    assert "holds 2 MiB, a page takes at most 1" in core.reader.answer(Question("table", (), (f"{2**21}",)))


@pytest.mark.parametrize("ends", [True, False])
def test_a_worker_ends_at_a_tokenizer_that_never_does_and_goes_on_after_what_ended_in_time(ends: bool) -> None:
    words = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    content = {"version": "1.0", "normalizer": {"type": "Sequence", "normalizers": [ENDLESS] * 40}, "model": words}
    content |= dict.fromkeys(("truncation", "padding", "pre_tokenizer", "post_processor", "decoder"))
    packed = base64.b64encode(json.dumps({**content, "added_tokens": []}).encode()).decode()
    work = "pass" if ends else "made.encode('a film')"
    code = (
        "import base64, time, tokenizers\nfrom core.wall.confined import be_replaceable, within\nbe_replaceable()\n"
        f"made = tokenizers.Tokenizer.from_str(base64.b64decode('{packed}').decode())\n"
        f"with within(1): {work}\ntime.sleep(1.2)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    assert ended.returncode == (0 if ends else 1)
    assert ends or b"Timeout (0:00:01)!" in ended.stderr
