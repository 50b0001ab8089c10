"""Command lines as a person runs them: the path on standard output, exit codes, one line for bad input."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from tiny import make_bert

from core import command_line, precompute
from core.results import store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(complete: Run, tiny_bert: Path, glue_folder: Path) -> Run:
    """Run the command; return its exit code and outputs."""
    places = {"FOLDER": tiny_bert, "GLUE": glue_folder}
    return lambda line, *further: complete(
        precompute.main, *(places.get(word, word) for word in line.split()), *further
    )


def test_a_pair_task_on_any_folder(run: Run, tmp_path: Path) -> None:
    folder, output = make_bert(tmp_path / "model", layers=3), tmp_path / "out"
    line = f"--checkpoint {folder} --task mrpc --data GLUE --output {output} --amounts 0,0.5 --threads 1 --source-name"
    code, printed, said = run(line, "tiny pairs")
    assert code == 0, said
    (path,) = output.iterdir()
    assert printed == f"{path}\n"
    result = store.load(path)
    assert (result.amounts, result.task.source_name) == ((0.0, 0.5), "tiny pairs")
    assert set(result.frames[0].metrics) == {"accuracy", "matthews_correlation", "f1"}
    assert str(tmp_path) not in path.read_text(), "no machine path in a result"
    assert "50 % removed" in said
    assert "warning: Unpruned, the model " in said, "random weights"


def test_help_waits_for_no_large_package() -> None:
    script = """import sys
for command in (cut, grid, precompute, site, verify):
    try:
        command.main(["--help"])
    except SystemExit:
        print(command.__name__, {"torch", "pandas", "altair", "sklearn"} & {*sys.modules}, file=sys.stderr)"""
    imports = "from core import cut, grid, precompute, site, verify\n"
    said = subprocess.run(
        [sys.executable, "-c", imports + script], capture_output=True, text=True, check=True
    ).stderr
    assert said.splitlines() == [
        f"core.{name} set()" for name in ("cut", "grid", "precompute", "site", "verify")
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [("--task sst2", "--checkpoint"), ("--checkpoint FOLDER --text2 reply", "--text2 reply")],
)
def test_bad_input_exits_with_two_and_one_line(
    run: Run, tmp_path: Path, line: str, words: str
) -> None:
    code, printed, said = run(line, "--output", str(tmp_path / "out.json"))
    assert (code, printed, said.strip().count("\n")) == (2, "", 0)
    assert words in said
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("out")]


def test_an_interrupted_run_leaves_no_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(bar: command_line.tqdm, stage: str, **_: object) -> None:
        if stage == "50 % removed":  # the sweep is under way, and its first frame is there
            raise KeyboardInterrupt

    monkeypatch.setattr(command_line.tqdm, "set_postfix_str", interrupt)
    line = (
        f"--checkpoint FOLDER --task sst2 --data GLUE --amounts 0,0.5 --output {tmp_path / 'out'}"
    )
    code, printed, said = run(line)
    assert (code, printed) == (130, "")
    assert said.splitlines()[-1] == "interrupted: what was not finished was not written"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bug_ends_in_one_line_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for error, words in (
        (
            MemoryError(),
            "error: there is not enough memory for this: try fewer examples or a smaller checkpoint",
        ),
        (KeyError("surprise"), "error: stopped by an unexpected KeyError, whose trace is in "),
    ):
        monkeypatch.setattr(precompute, "parse", Mock(side_effect=error))
        code, _, said = run("")
        assert (code, said.count("\n"), said[: len(words)]) == (1, 1, words)
    (log,) = (path.read_text() for path in tmp_path.glob("prunescope-*.log"))
    assert "Traceback" in log
    assert "surprise" in log
