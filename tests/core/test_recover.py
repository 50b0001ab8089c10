"""`python -m core.recover` as a person runs it: the path of the recovery, or one line for bad input."""

from collections.abc import Callable
from pathlib import Path

from recovery import tiny_sweep
from safetensors.torch import load_file
from tiny import make_texts, predicted_by_transformers

from core import recover
from core.results.store import load_any, save


def test_the_path_of_the_recovery_is_printed_and_bad_input_ends_in_one_line(
    complete: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    sweep, output = save(tiny_sweep(tmp_path), tmp_path / "sweep.json"), tmp_path / "one.json"
    words = [
        sweep,
        "--checkpoint",
        tmp_path / "base",
        "--data",
        tmp_path / "rows.csv",
        "--output",
        output,
    ]
    saving = ["--save", saved := tmp_path / "my model"]
    code, printed, said = complete(recover.main, *words, *saving, "--steps", 2, "--threads", 1)
    assert (code, printed) == (0, f"{output}\n"), said
    assert "50 rows to train on, 50 to judge" in said
    whole = load_any(output)
    assert [frame.step for frame in whole.all_frames] == [0, 2, 0, 2]
    weights = load_file(saved / "model.safetensors").items()
    pruned = [weight for name, weight in weights if ".layer." in name and weight.ndim == 2]
    assert sum(int((weight == 0).sum()) for weight in pruned) == round(
        0.6 * sum(weight.numel() for weight in pruned)
    )
    judged = [make_texts(100)[row] for row in whole.task.examples]
    assert predicted_by_transformers(saved, judged) == [*whole.frames[-1].predictions]
    card = (saved / "README.md").read_text("utf-8")
    assert (
        "zeros held, for\n2 steps of 32" in card,
        "`hf upload OWNER/NAME 'my model'`" in card,
    ) == (True, True)
    for wrong, line in (
        ([*words, "--amount", "nan"], "amount 'nan' is not a number in [0, 1)"),
        ([*words, *saving], "exists and is not an empty folder"),
        ([sweep], "does not record the path of the checkpoint folder"),
        ([output], "one.json is a recovery, and a sweep is needed"),
    ):
        code, printed, said = complete(recover.main, *wrong)
        assert (code, printed, said.count("\n"), line in said) == (2, "", 1, True)
