"""The command line as a person runs it: the path on standard output, exit codes, one line for bad input."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_bert, write_split

from core import precompute
from core.command_line import run_command
from core.request.catalog import ROOT, TASKS
from core.results import store

Completed = subprocess.CompletedProcess[str]
Run = Callable[..., Completed]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "core.precompute", *arguments]


def run_process(*arguments: str) -> Completed:
    """Runs the command as a process of its own, which has to import everything."""
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command inside this process."""
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # the command sets it for good

    def completed(*arguments: str) -> Completed:
        words = command(*arguments)
        monkeypatch.setattr(sys, "argv", words[2:])
        with pytest.raises(SystemExit) as caught:
            run_command(precompute.main)
        written = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(caught.value.code or 0), written.out, written.err)

    return completed


def test_a_pair_task_on_any_folder(run: Run, tmp_path: Path, glue_folder: Path) -> None:
    folder = make_bert(tmp_path / "model", layers=3)
    output = tmp_path / "out"
    done = run("--checkpoint", str(folder), "--task", "mrpc", "--data", str(glue_folder),
               "--output", str(output), "--amounts", "0,0.5", "--threads", "1",
               "--source-name", "tiny pairs")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (path,) = output.iterdir()
    assert done.stdout == f"{path}\n"
    result = store.load(path)
    assert result.amounts == (0.0, 0.5)
    assert result.task.source_name == "tiny pairs"
    assert set(result.frames[0].metrics) == {"accuracy", "matthews_correlation", "f1"}
    assert str(tmp_path) not in path.read_text(), "no machine path in a result"
    assert "50 % removed" in done.stderr
    assert "warning: The unpruned model's accuracy, 0.49, is below the majority class's, 0.54: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--task", "sst2"], ["--checkpoint"]),
        (["--checkpoint", "FOLDER", "--task", "sst9", "--data", "GLUE"], ["sst9", "choose one of"]),
        (["--checkpoint", "FOLDER", "--task", "sst2", "--data", "GLUE", "--amounts", "0,2"], ["2", "[0, 1)"]),
        (["--checkpoint", "FOLDER", "--task", "sst2", "--data", "GLUE", "--examples", "97"], ["97", "96"]),
        (["--checkpoint", "FOLDER", "--task", "sst2", "--data", "GLUE", "--scope", "layer:2"], ["layer:2", "layer:1"]),
        (["--checkpoint", "FOLDER", "--task", "mnli", "--data", "GLUE"], ["2 labels", "3"]),
        (["--checkpoint", "FOLDER", "--task", "sst2", "--data", "nowhere"], ["nowhere", "not a folder"]),
        (["--checkpoint", "FOLDER", "--task", "sst2", "--data", "GLUE", "--threads", "0"], ["0 threads"]),
        (
            ["--checkpoint", "FOLDER", "--task", "sst2", "--data", "GLUE", "--text2", "reply"],
            ["--text2 reply", "--text"],
        ),
        (["--checkpoint", "owner/name", "--task", "sst2"], ["owner/name", "offline"]),
    ],
)
def test_bad_input_exits_with_two_and_one_line(
    run: Run, tiny_bert: Path, glue_folder: Path, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    places = {"FOLDER": str(tiny_bert), "GLUE": str(glue_folder)}
    done = run(*(places.get(argument, argument) for argument in arguments), "--output", str(tmp_path / "out.json"))
    check_refusal(done, words)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("out")]
    if arguments == ["--task", "sst2"]:  # a process of its own ends in the same way
        check_refusal(run_process(*arguments), words)


def check_refusal(done: Completed, words: list[str]) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(word in done.stderr for word in words), done.stderr


def test_an_interrupted_run_says_so_and_leaves_no_file(
    run: Run, tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(bar: precompute.tqdm, stage: str, **_: object) -> None:
        if stage == "50 % removed":  # the sweep is under way, and its first frame is there
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(precompute.tqdm, "set_postfix_str", interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        done = run("--checkpoint", str(tiny_bert), "--task", "sst2", "--data", str(glue_folder),
                   "--amounts", "0,0.5", "--output", str(tmp_path / "out"))  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 130
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == "interrupted: what was not finished was not written"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_process_prints_nothing_but_its_progress_and_leaves_no_file_when_killed(tmp_path: Path) -> None:
    amounts = ",".join(str(k / 100) for k in range(100))
    checkpoint = make_bert(tmp_path / "deep-bert", layers=16)  # half a minute at all amounts: time to be killed in
    weights = load_file(checkpoint / "model.safetensors")  # of one too many transformers would print a table
    save_file({**weights, "unused.weight": torch.zeros(3)}, checkpoint / "model.safetensors", {"format": "pt"})
    write_split(tmp_path, TASKS["sst2"], "validation", 400, seed=3)
    arguments = command("--checkpoint", str(checkpoint), "--task", "sst2", "--data", str(tmp_path))
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*arguments, "--amounts", amounts, "--output", str(tmp_path / "out")],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    while " % removed" not in log.read_text() and process.poll() is None:  # until the sweep is under way
        time.sleep(0.02)
    process.kill()
    assert process.wait() == -signal.SIGKILL, log.read_text()
    assert list((tmp_path / "out").iterdir()) == []
    lines = re.split(r"[\r\n]+", log.read_text().strip())
    assert [line for line in lines if not line.startswith("magnitude: ")] == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: there is not enough memory for this: try fewer examples or a smaller checkpoint"),
        (KeyError("surprise"), "error: stopped by an unexpected KeyError, whose trace is in "),
    ],
)
def test_a_fault_of_ours_ends_in_one_line_too(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception, said: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(precompute, "parse", fails)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    done = run()
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1
    logs = [path.read_text() for path in tmp_path.glob("prunescope-*.log")]
    assert all("Traceback" in log and "surprise" in log for log in logs)
    assert len(logs) == isinstance(error, KeyError)
