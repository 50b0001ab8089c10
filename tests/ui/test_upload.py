"""A result file of one's own."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.results import store
from core.results.schema import SweepResult
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, run

RESULT = make_result(num_layers=2, amounts=(0.0, 0.35), num_examples=24)
FORGED = with_own_key(
    RESULT,
    frames=tuple(f.model_copy(update={"sparsity": 0.5}) for f in RESULT.frames),
)


def page() -> None:
    import streamlit as st

    from core.results.schema import SweepResult
    from ui.results import at_hand, read_stored, show_upload

    show_upload()
    st.text(" ".join(entry.key for entry in at_hand()))
    key = st.query_params.get("result")
    result = read_stored(key, SweepResult) if key else None
    st.text(f"shown: {result.frames[-1].sparsity if result else None}")


def opened(result: SweepResult | None = None, app: AppTest | None = None) -> AppTest:
    """Opens a file, in a new visit unless one goes on."""
    app = app or run(AppTest.from_function(page, default_timeout=20))
    if result:
        app.file_uploader(key="upload").set_value(
            ("mine.json", result.model_dump_json().encode(), "application/json")
        )
    return run(app)


def shown(app: AppTest) -> str:
    return str(app.text[1].value)


def test_a_file_is_kept_among_the_users_results_and_never_replaces_a_bundled_one(
    shipped: Path,
) -> None:
    app = opened(RESULT)
    assert address(app)["result"] == RESULT.key
    assert RESULT.key in app.text[0].value
    assert shown(app) == "shown: 0.1855"
    path = store.find(RESULT.key)
    assert path.parent == store.user_folder()
    assert store.load(path) == RESULT
    assert RESULT.key in opened().text[0].value
    path.unlink()
    ship(shipped, RESULT)
    app = opened(FORGED)
    assert shown(app) == "shown: 0.1855"
    assert not list(store.user_folder().glob("*.json"))


def test_a_hosted_server_opens_no_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    assert not opened().get("file_uploader")
