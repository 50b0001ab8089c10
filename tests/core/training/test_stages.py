"""A stage's folder is whole or not there, and that of a training is of one with the same options."""

from pathlib import Path

import pytest

from core.errors import PrunescopeError
from core.training.stages import check_options, finished


def test_a_stage_that_was_interrupted_is_not_there_and_is_done_again(tmp_path: Path) -> None:
    interrupted = finished(tmp_path / "final")
    (interrupted.__enter__() / "half").mkdir(parents=True)
    assert interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert not (tmp_path / "final").exists()
    with finished(tmp_path / "final") as folder:
        folder.mkdir()
        (folder / "whole").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["final", "final/whole"]


def test_a_training_goes_on_with_the_options_that_it_began_with(tmp_path: Path) -> None:
    options: dict[str, str | float] = {"task": "cola", "learning_rate": 3e-5, "seed": 0}
    for _ in range(2):
        check_options(tmp_path / "work", options)
    with pytest.raises(PrunescopeError, match="--work work: the training there began with --seed 0, not 1"):
        check_options(tmp_path / "work", {**options, "seed": 1})
    with pytest.raises(PrunescopeError, match="--learning-rate 3e-05, not 5e-05: give another folder"):
        check_options(tmp_path / "work", {**options, "learning_rate": 5e-5})
    (tmp_path / "earlier" / "final").mkdir(parents=True)
    with pytest.raises(PrunescopeError, match=r"--work earlier holds a training without options\.json"):
        check_options(tmp_path / "earlier", options)
