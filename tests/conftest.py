"""Shared fixtures: an isolated user, tiny random checkpoints, small data in the Hub's layout.

The environment is set before anything is imported that reads it.
"""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

Completed = tuple[int, str, str]  # exit code, standard output, standard error
BROWSER = Path(__file__).with_name("browser")  # the folder of tests that need one
MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 4 * 2**30
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
    tempfile.tempdir = os.environ["TMPDIR"] = str(MEMORY)  # on a disk, to remove one of 10,000 folders can take 4 ms
_HOME = Path(tempfile.mkdtemp(prefix="prunescope-tests-"))
os.environ.update(
    HOME=str(_HOME),
    XDG_CACHE_HOME=str(_HOME / "cache"),
    HF_HOME=str(_HOME / "huggingface"),
    PRUNESCOPE_RESULTS=str(_HOME / "results"),
    HF_HUB_OFFLINE="1",
    FONTCONFIG_FILE=str(Path(__file__).with_name("fonts.conf")),
    OMP_NUM_THREADS="1",  # tiny models: threads cost more than they give
    MALLOC_MMAP_THRESHOLD_="1000000000",  # glibc keeps what was freed: to ask the system for it again takes longer
    MALLOC_TRIM_THRESHOLD_="2000000000",
    MALLOC_TOP_PAD_="67108864",
    STREAMLIT_RUNNER_POST_SCRIPT_GC="false",  # beside torch each collection takes longer than the page
)
for _name in ("PRUNESCOPE_HOSTED", "SPACE_ID", "HF_TOKEN", "HF_ENDPOINT", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(_name, None)
sys.dont_write_bytecode = False  # some containers forbid it: then each process compiles the project once more

import pytest  # noqa: E402
from local_hub import LocalHub, local_hub  # noqa: E402

from core.request.catalog import TASKS  # noqa: E402

if TYPE_CHECKING:
    from streamlit.testing.v1.local_script_runner import LocalScriptRunner

    from core.jobs.queue import JobQueue
    from core.results.schema import SweepResult
    from tests.queues import Clock


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return one worker more than processors: those that wait for a browser leave theirs to another."""
    return (os.cpu_count() or 1) + (config.option.markexpr != "not browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put first what one worker alone should begin with: the browser, which it has to start, then all shipped results.

    Each worker is given one stretch of the list, and takes over from the end of another's what that has not begun.
    """

    def place(item: pytest.Item) -> int:
        return 0 if BROWSER in item.path.parents else 1 + ("shipped_results" not in getattr(item, "fixturenames", ()))

    items.sort(key=place)


@pytest.fixture(scope="session")
def shipped_results() -> "dict[str, SweepResult]":
    """All shipped results by their keys, read once; garbage is not looked for among them."""
    from core.results import library, store

    paths = {entry.key: store.find(entry.key) for entry in library.shipped(library.Entry)}
    results = {key: store.load(path) for key, path in paths.items() if path}
    gc.freeze()
    return results


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer BERT classifier for two labels, float32 safetensors. Do not write to it."""
    from tiny import make_bert  # here: tests of the pages need no torch

    return make_bert(tmp_path_factory.mktemp("checkpoints") / "tiny-bert")


@pytest.fixture
def copy(tiny_bert: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be damaged."""
    return shutil.copytree(tiny_bert, tmp_path / "my-bert")


@pytest.fixture(scope="session")
def tiny_emotions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny BERT that tells `tiny.EMOTIONS` apart. Do not write to it."""
    from tiny import make_emotions

    return make_emotions(tmp_path_factory.mktemp("checkpoints") / "tiny-emotions")


@pytest.fixture(scope="session")
def glue_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in the Hub's layout with every task: 96 validation and 160 training rows. Do not write to it."""
    from tiny import write_split

    folder = tmp_path_factory.mktemp("glue")
    for task in TASKS.values():
        write_split(folder, task, task.split, 96, seed=1)
        write_split(folder, task, "train", 160, seed=2)
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A local Hub that the client talks to, with an empty cache and offline mode off."""
    from huggingface_hub import constants

    with local_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        yield server


@pytest.fixture
def complete(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> "Callable[..., Completed]":
    """Runs a command line, its function and its words, inside this process."""
    from core.command_line import run_command

    def completed(main: "Callable[[Sequence[str] | None], int]", *words: object) -> "Completed":
        monkeypatch.setattr(sys, "argv", ["command", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            run_command(main)
        return (int(caught.value.code or 0), *capsys.readouterr())

    return completed


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the shipped results, and no results of the user's own."""
    monkeypatch.setattr("core.results.store.SHIPPED_RESULTS", tmp_path / "results")
    monkeypatch.setenv("PRUNESCOPE_RESULTS", str(tmp_path / "own"))
    return tmp_path / "results"


@pytest.fixture
def clock() -> "Clock":
    """The clock of `queue`."""
    from tests.queues import Clock

    return Clock()


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: "Clock") -> Iterator["JobQueue"]:
    """The queue that the pages use, in front of a worker without a model."""
    from tests.queues import install, queues

    with queues(tmp_path, clock) as queue:
        install(queue, monkeypatch)
        yield queue


@pytest.fixture(scope="session")
def quick_pages() -> Iterator[None]:
    """What a server does once is done once: the search of all packages for components, the compiling of a page.

    A test waits for the end of a page's thread, where Streamlit would look a thousand times a second.
    """
    from streamlit.components.v2 import manifest_scanner
    from streamlit.runtime.scriptrunner.script_cache import ScriptCache
    from streamlit.testing.v1 import app_test, local_script_runner

    compiled = ScriptCache()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        for module in (app_test, local_script_runner):
            patch.setattr(module, "ScriptCache", lambda: compiled)
        patch.setattr(local_script_runner, "require_widgets_deltas", _ended)
        yield


def _ended(runner: "LocalScriptRunner", timeout: float = 3) -> None:
    thread = runner._script_thread
    thread.join(timeout)
    assert not thread.is_alive(), f"the page still runs after {timeout} s"


@pytest.fixture
def unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is folded away on a page is open from the start; without a browser nothing else opens it."""
    import streamlit as st

    original = st.expander
    monkeypatch.setattr(st, "expander", lambda label, **options: original(label, **{**options, "expanded": True}))


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """What is there after a module mostly stays as well, such as results that were read: a tenth of all time."""
    yield
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported stays: Python need not look for garbage among it, neither meanwhile nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # pages and results are trees of many small objects, which stay or go together
        gc.enable()


def pytest_sessionfinish() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
