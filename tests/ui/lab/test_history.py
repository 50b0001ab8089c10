"""The visitor's own results in a list."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    from ui.lab.history import show_history

    show_history(None)


@pytest.mark.parametrize("hosted", [False, True])
def test_files_that_cannot_be_shown_are_named_to_their_owner(
    hosted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "results"
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(folder))
    folder.mkdir()
    (folder / "strange.json").write_text("[")
    (folder / "lost.json").symlink_to(Path("/nowhere"))
    if hosted:
        monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = AppTest.from_function(page, default_timeout=20).run()
    assert not app.exception
    warnings = [warning.value for warning in app.warning]
    if hosted:
        assert warnings == []
        return
    (words,) = warnings
    heading, *reasons = words.replace("\\", "").splitlines()
    assert heading == "2 of the files in your folder cannot be shown:"
    assert sorted(reasons) == [
        "- lost.json is not a regular file, or is a link that leads nowhere: remove it",
        "- strange.json is not readable as JSON: recompute it",
    ]
