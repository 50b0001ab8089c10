"""Command lines as a person runs them: what they print, exit codes, one line for bad input."""

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


COMMANDS = ("cut", "grid", "precompute", "site", "verify")
HELP = f"""import sys
LARGE = {{"torch", "transformers", "datasets", "pandas", "altair", "sklearn"}}
from core import worker, {", ".join(COMMANDS)}
for command in ({", ".join(COMMANDS)}):
    try:
        command.make_parser().parse_args(["--help"])
    except SystemExit:
        print(LARGE & {{*sys.modules}}, file=sys.stderr)"""


@pytest.fixture
def run(complete: Run, tiny_bert: Path, glue_folder: Path) -> Run:
    """Run the command; return its exit code and outputs."""
    places = f"--checkpoint {tiny_bert} --data {glue_folder}"
    return lambda line: complete(precompute, f"{places} {line}")


def test_a_pair_task_on_any_folder(run: Run, tmp_path: Path) -> None:
    model = make_bert(tmp_path / "model", layers=3)
    output = tmp_path / "out"
    places = f"--checkpoint {model} --output {output} --source-name 'tiny pairs'"

    code, printed, said = run(f"{places} --task mrpc --amounts 0,0.5 --threads 1")

    assert code == 0, said
    (path,) = output.iterdir()
    assert printed == f"{path}\n"
    result = store.load(path)
    assert result.amounts == (0.0, 0.5)
    assert result.task.source_name == "tiny pairs"
    assert set(result.frames[0].metrics) == {
        "accuracy",
        "matthews_correlation",
        "f1",
    }
    assert str(tmp_path) not in path.read_text(), "no machine path in a result"
    assert "50 % removed" in said
    assert "warning: Unpruned, the model " in said, "random weights"


def test_neither_help_nor_a_new_worker_waits_for_a_large_package() -> None:
    command = [sys.executable, "-c", HELP]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert said == "set()\n" * len(COMMANDS)


@pytest.mark.parametrize(
    ("line", "words"),
    [("--amounts", "--amounts: expected one argument"), ("--text2 reply", "--text2 reply")],
)
def test_bad_input_exits_with_two_and_one_line(
    run: Run, tmp_path: Path, line: str, words: str
) -> None:
    code, printed, said = run(f"--output {tmp_path}/out/result.json {line}")

    assert (code, printed) == (2, "")
    assert words in said
    assert said.strip().count("\n") == 0
    assert not (tmp_path / "out").exists()


def test_an_interrupted_run_leaves_no_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(bar: command_line.tqdm, stage: str, **_: object) -> None:
        if stage == "50 % removed":  # the sweep is under way, and its first frame is there
            raise KeyboardInterrupt

    monkeypatch.setattr(command_line.tqdm, "set_postfix_str", interrupt)

    code, printed, said = run(f"--task sst2 --amounts 0,0.5 --output {tmp_path}/out")

    assert (code, printed) == (130, "")
    assert said.splitlines()[-1] == "interrupted: what was not finished was not written"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words", "traces"),
    [
        (
            MemoryError(),
            "there is not enough memory for this: try fewer examples or",
            0,
        ),
        (
            KeyError("surprise"),
            "stopped by an unexpected KeyError, whose trace is in ",
            1,
        ),
    ],
)
def test_a_bug_ends_in_one_line_too(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: Exception,
    words: str,
    traces: int,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(precompute, "main", Mock(side_effect=error))

    code, _, said = run("")

    assert code == 1
    assert said.startswith(f"error: {words}")
    assert said.count("\n") == 1
    logs = [path.read_text() for path in tmp_path.glob("prunescope-*.log")]
    assert [log.splitlines()[-1] for log in logs] == ["KeyError: 'surprise'"] * traces
