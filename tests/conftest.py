"""Shared fixtures: an isolated user, tiny random checkpoints, small data in the Hub's layout.

The environment is set before the imports that read it.
"""

import gc
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

Completed = tuple[int, str, str]  # exit code, standard output, standard error
TOGETHER = {  # what takes long to set up, and the files that need it, which one worker runs
    "a server and a browser": ("tests/browser/",),
    "a study": (
        "tests/core/exports/test_pruned_checkpoint.py",
        "tests/core/training/test_cut_study.py",
    ),
    "all shipped results": (
        "tests/core/findings/test_contradictions.py",
        "tests/core/test_shipped.py",
        "tests/independent/test_pooled.py",
    ),
}
LONG = ("tests/pages/", "tests/independent/", "tests/docs/")
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 2**30:
    tempfile.tempdir = os.environ["TMPDIR"] = str(
        MEMORY
    )  # removing a folder from a disk can take 4 ms
_HOME = Path(tempfile.mkdtemp(prefix="prunescope-tests-"))
os.environ.update(
    HOME=str(_HOME),
    XDG_CACHE_HOME=str(_HOME / "cache"),
    HF_HOME=str(_HOME / "huggingface"),
    PRUNESCOPE_RESULTS=str(_HOME / "results"),
    HF_HUB_OFFLINE="1",
    FONTCONFIG_FILE=str(Path(__file__).with_name("fonts.conf")),
    OMP_NUM_THREADS="1",  # for tiny models, threads cost more than they save
    MALLOC_MMAP_THRESHOLD_="1000000000",  # let glibc keep freed memory, which is faster
    MALLOC_TRIM_THRESHOLD_="2000000000",
    MALLOC_TOP_PAD_="67108864",
    STREAMLIT_RUNNER_POST_SCRIPT_GC="false",  # beside torch a collection takes longer than a page
)
for _name in (
    "PRUNESCOPE_HOSTED",
    "SPACE_ID",
    "HF_TOKEN",
    "HF_ENDPOINT",
    "PYTHONDONTWRITEBYTECODE",
):
    os.environ.pop(_name, None)
sys.dont_write_bytecode = False  # else each process compiles the project again

import pytest  # noqa: E402
from local_hub import LocalHub, local_hub  # noqa: E402
from xdist.scheduler import LoadFileScheduling  # noqa: E402

from core.request.catalog import TASKS  # noqa: E402

if TYPE_CHECKING:
    from xdist.remote import Producer

    from benchmarks.verdicts import VerdictRow
    from core.jobs.queue import JobQueue
    from core.results.schema import SweepResult
    from tests.queues import Clock
    from tests.tiny import Studied


class Together(LoadFileScheduling):
    """Gives each file, or all files in a row of TOGETHER, to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (what for what, files in TOGETHER.items() if nodeid.startswith(files))
        return next(shared, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> Together:
    return Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that all workers end at about the same time."""
    order = (*TOGETHER.values(), LONG, ("",))
    items.sort(
        key=lambda item: next(k for k, files in enumerate(order) if item.nodeid.startswith(files))
    )


@pytest.fixture(scope="session")
def shipped_results() -> "dict[str, SweepResult]":
    """All shipped results by their keys, read once and kept out of garbage collection."""
    from core.results import library, store

    paths = {entry.key: store.find(entry.key) for entry in library.shipped(library.Entry)}
    gc.disable()  # nothing of them is garbage
    results = {key: store.load(path) for key, path in paths.items() if path}
    gc.freeze()
    gc.enable()
    return results


@pytest.fixture(scope="session")
def verdict_rows(
    shipped_results: "dict[str, SweepResult]",
) -> "list[VerdictRow]":
    """The table of verdicts on all shipped results."""
    from benchmarks.verdicts import verdict_table

    return verdict_table([*shipped_results.values()])


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only folder with a random two-layer BERT classifier for two labels, in float32."""
    from tiny import (
        make_bert,
    )  # imports torch, which tests of pages do without

    return make_bert(tmp_path_factory.mktemp("checkpoints") / "tiny-bert")


@pytest.fixture
def copy(tiny_bert: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be damaged."""
    return shutil.copytree(tiny_bert, tmp_path / "my-bert")


@pytest.fixture(scope="session")
def tiny_emotions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only folder with a random BERT that classifies `tiny.EMOTIONS`."""
    from tiny import EMOTIONS, make_bert

    return make_bert(
        tmp_path_factory.mktemp("checkpoints") / "tiny-emotions",
        labels=len(EMOTIONS),
        seed=1,
        id2label=dict(enumerate(EMOTIONS)),
        label2id={name: k for k, name in enumerate(EMOTIONS)},
    )


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> "Studied":
    """A study of a tiny checkpoint's cuts."""
    from tiny import make_studied

    return make_studied(tmp_path_factory.mktemp("studied"))


@pytest.fixture
def brief_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let studies of cuts train for ten steps."""
    from core.results.cut import TRAINING

    monkeypatch.setattr(
        "core.inputs.cut_rows.TRAINING",
        TRAINING.model_copy(update={"steps": 10}),
    )


@pytest.fixture(scope="session")
def glue_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A read-only data folder in the Hub's layout: 96 validation and 160 training rows a task."""
    from tiny import write_split

    folder = tmp_path_factory.mktemp("glue")
    for task in TASKS.values():
        write_split(folder, task, task.split, 96, seed=1)
        write_split(folder, task, "train", 160, seed=2)
    return folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    """A local Hub in the place of the real one, with an empty cache and offline mode off."""
    from huggingface_hub import constants

    with local_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        yield server


@pytest.fixture
def complete(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> "Callable[..., Completed]":
    """Run a command with a line of arguments, inside this process."""
    from core.command_line import run_command

    def completed(command: ModuleType, line: str) -> "Completed":
        monkeypatch.setattr(sys, "argv", ["command", *shlex.split(line)])
        with pytest.raises(SystemExit) as caught:
            run_command(command.make_parser(), command.main)
        return (int(caught.value.code or 0), *capsys.readouterr())

    return completed


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the shipped results; the user has no results either."""
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
    """The queue of the pages, before a worker without a model."""
    from tests.queues import install, queues

    with queues(tmp_path, clock) as queue:
        install(queue, monkeypatch)
        yield queue


@pytest.fixture(autouse=True)
def quick_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files in this process, not in a limited child, which core/wall tests."""
    monkeypatch.setattr("core.wall.reading._answer", _answer)


def _answer(order: str, name: str) -> bytes:
    from core.reader import answer

    return answer(order).encode()


@pytest.fixture
def unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open every expander from the start; without a browser nothing else can."""
    import streamlit as st

    original = st.expander
    monkeypatch.setattr(
        st,
        "expander",
        lambda label, **options: original(label, **{**options, "expanded": True}),
    )


@pytest.fixture(scope="module", autouse=True)
def settled() -> Iterator[None]:
    """Keep what is left after a module, mostly cached results, out of garbage collection."""
    yield
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is imported out of garbage collection."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # pages and results are large trees of small objects
        gc.enable()


def pytest_sessionfinish() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
