"""A result file of one's own: kept locally, and hosted in the visit alone."""

from pathlib import Path

import pytest
from cachetools import LRUCache
from streamlit.testing.v1 import AppTest

from core.results import store
from core.results.fields import bytes_of
from core.results.schema import SweepResult
from tests.builders import make_result, ship, with_own_key
from tests.opened import address, errors, run

RESULT = make_result(num_layers=2, amounts=(0.0, 0.35), num_examples=24)
FORGED = with_own_key(RESULT, frames=tuple(f.model_copy(update={"sparsity": 0.5}) for f in RESULT.frames))
OTHERS = [make_result(num_layers=2, amounts=(0.0, 0.35), num_examples=24, seed=seed) for seed in range(1, 6)]


def page() -> None:
    import streamlit as st

    from ui.results import at_hand, by_key, show_upload

    show_upload()
    st.text(" ".join(entry.key for entry in at_hand()))
    key = st.query_params.get("result")
    result = by_key(key) if key else None
    st.text(f"shown: {result.frames[-1].sparsity if result else None}")


def opened(result: SweepResult | None = None, app: AppTest | None = None) -> AppTest:
    """Opens a file, in a new visit unless one goes on."""
    app = app or run(AppTest.from_function(page, default_timeout=20))
    if result:
        app.file_uploader(key="upload").set_value(("mine.json", result.model_dump_json().encode(), "application/json"))
    return run(app)


def shown(app: AppTest) -> str:
    return str(app.text[1].value)


@pytest.mark.parametrize("hosted", ["0", "1"])
def test_a_file_is_kept_among_the_users_results_hosted_for_the_visit_and_never_replaces_a_bundled_one(
    hosted: str, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", hosted)
    app = opened(RESULT)
    assert address(app)["result"] == RESULT.key
    assert RESULT.key in app.text[0].value
    assert shown(app) == "shown: 0.1855"
    path = store.find(RESULT.key)
    assert (path is None) == (hosted == "1")
    assert (RESULT.key in opened().text[0].value) == (hosted == "0"), "hosted, another visitor does not see it"
    if path:
        assert path.parent == store.user_folder()
        assert store.load(path) == RESULT
        path.unlink()
    ship(shipped, RESULT)
    app = opened(FORGED)
    assert shown(app) == "shown: 0.1855"
    assert not list(store.user_folder().glob("*.json"))


def test_hosted_visits_keep_a_few_files_and_none_that_is_large(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNESCOPE_HOSTED", "1")
    app = opened()
    for result in OTHERS:
        opened(result, app)
    assert [result.key in app.text[0].value for result in OTHERS] == [False, True, True, True, True]
    monkeypatch.setattr("ui.results._opened", LRUCache(2.5 * bytes_of(RESULT), getsizeof=bytes_of))
    first, second = opened(RESULT), opened(FORGED)
    assert FORGED.key == RESULT.key
    assert [shown(run(visit)) for visit in (first, second)] == ["shown: 0.1855", "shown: 0.5"]
    opened(OTHERS[0])
    assert [RESULT.key in run(visit).text[0].value for visit in (first, second)] == [False, True]
    assert "is not stored here" in errors(first)[0]
    monkeypatch.setattr("ui.results.RESULT_BYTES", 1000)
    app = opened(RESULT)
    assert "of memory, at most 0 are allowed here" in errors(app)[0]
    assert "result" not in address(app)
