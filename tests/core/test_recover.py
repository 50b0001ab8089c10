"""`python -m core.recover` as a person runs it: the path of the recovery, or one line for bad input."""

from collections.abc import Callable
from pathlib import Path

from recovery import tiny_sweep

from core import recover
from core.results.store import load_any, save


def test_the_path_of_the_recovery_is_printed_and_bad_input_ends_in_one_line(
    complete: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    sweep, output = save(tiny_sweep(tmp_path), tmp_path / "sweep.json"), tmp_path / "one.json"
    words = [sweep, "--checkpoint", tmp_path / "base", "--data", tmp_path / "rows.csv", "--output", output]
    code, printed, said = complete(recover.main, *words, "--steps", 2, "--threads", 1)
    assert (code, printed) == (0, f"{output}\n"), said
    assert "50 rows to train on, 50 to judge" in said
    assert [frame.step for frame in load_any(output).all_frames] == [0, 2, 0, 2]
    for wrong, line in (
        ([*words, "--amount", "nan"], "amount 'nan' is not a number in [0, 1)"),
        ([sweep], "does not record its path: give it with --checkpoint"),
        ([output], "one.json is a recovery, and a sweep is needed"),
    ):
        code, printed, said = complete(recover.main, *wrong)
        assert (code, printed, said.count("\n"), line in said) == (2, "", 1, True)
