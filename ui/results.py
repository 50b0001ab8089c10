"""Results from files, read once for all visitors, who only look at them."""

from pathlib import Path

import streamlit as st

from core.results import SweepResult, load


def loaded(path: Path) -> SweepResult:
    """Reads a result file, once as long as it does not change.

    Args:
        path: The file.

    Raises:
        PrunescopeError: It is missing, malformed or damaged.
    """
    return _loaded(path, path.stat().st_mtime_ns if path.is_file() else 0)


@st.cache_resource(show_spinner=False, max_entries=32)
def _loaded(path: Path, modified: int) -> SweepResult:
    return load(path)
