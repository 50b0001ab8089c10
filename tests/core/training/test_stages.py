"""A stage's folder is whole or not there."""

from pathlib import Path

from core.training.stages import finished


def test_a_stage_that_was_interrupted_is_not_there_and_is_done_again(tmp_path: Path) -> None:
    interrupted = finished(tmp_path / "final")
    (interrupted.__enter__() / "half").mkdir(parents=True)
    assert interrupted.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None) is False
    assert not (tmp_path / "final").exists()
    with finished(tmp_path / "final") as folder:
        folder.mkdir()
        (folder / "whole").touch()
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["final", "final/whole"]
