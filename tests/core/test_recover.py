"""`python -m core.recover` as a person runs it: a recovery's path, or one line for bad input."""

from collections.abc import Callable
from pathlib import Path

from recovery import tiny_sweep
from safetensors.torch import load_file
from tiny import make_texts, predicted_by_transformers

from core import recover
from core.results.store import load_any, save
from tests.studies import make_recovery

Run = Callable[..., tuple[int, str, str]]


def test_the_trained_model_is_saved_and_the_path_of_the_recovery_printed(
    complete: Run, tmp_path: Path
) -> None:
    sweep = save(tiny_sweep(tmp_path), tmp_path / "sweep.json")
    output = tmp_path / "one.json"
    saved = tmp_path / "my model"
    places = f"--checkpoint {tmp_path}/base --data {tmp_path}/rows.csv"
    writing = f"--output {output} --save '{saved}'"

    code, printed, said = complete(recover, f"{sweep} {places} {writing} --steps 2")

    assert (code, printed) == (0, f"{output}\n"), said
    assert "50 rows to train on, 50 to judge" in said
    recovery = load_any(output)
    assert [frame.step for frame in recovery.all_frames] == [0, 2, 0, 2]
    weights = load_file(saved / "model.safetensors").items()
    pruned = [weight for name, weight in weights if ".layer." in name and weight.ndim == 2]
    zeros = sum(int((weight == 0).sum()) for weight in pruned)
    assert zeros == round(0.6 * sum(weight.numel() for weight in pruned))
    judged = [make_texts(100)[row] for row in recovery.task.examples]
    assert predicted_by_transformers(saved, judged) == [*recovery.frames[-1].predictions]
    card = (saved / "README.md").read_text("utf-8")
    assert "zeros held, for\n2 steps of 32" in card
    assert "`hf upload OWNER/NAME 'my model'`" in card


def test_bad_input_ends_in_one_line(complete: Run, tmp_path: Path) -> None:
    sweep = save(tiny_sweep(tmp_path), tmp_path / "sweep.json")

    code, printed, said = complete(recover, f"{sweep} --save tests")

    assert (code, printed) == (2, "")
    assert "exists and is not an empty folder" in said
    assert said.count("\n") == 1


def test_a_recovery_is_no_sweep(complete: Run, tmp_path: Path) -> None:
    path = save(make_recovery(), tmp_path / "one.json")
    code, _, said = complete(recover, str(path))
    assert code == 2
    assert "one.json is a recovery, and a sweep is needed" in said
