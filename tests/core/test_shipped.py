"""The shipped results: every one listed, whole, made by its command; some frames recomputed."""

from collections import defaultdict
from operator import attrgetter

import pytest
import torch

from benchmarks import verdicts
from benchmarks.meaning import meanings
from benchmarks.pooled import pairs, pool
from core.charts.forest import forest_scene
from core.findings import pooled
from core.findings.passed import HELD_AGAINST
from core.inputs.checkpoints import resolve
from core.request.catalog import (
    DAMAGE,
    DEFAULT_CONTROLLED,
    EMBEDDED,
    ENGINE_VERSION,
    FAMILIES,
    SHIPPED,
    TASKS,
)
from core.request.grid_file import read_grid
from core.request.scope import points_of
from core.request.sweep_request import SweepRequest
from core.results import library, store
from core.results.schema import SweepResult
from core.results.store import SHIPPED_RESULTS, load
from core.sweep import recompute
from tests.near import near, near_text

MAX_BYTES = 160e6  # all checkpoints together
MAX_RESULT_BYTES = {12: 400e3, 24: 1e6}  # of a result of up to so many points
MAX_RESULTS_BYTES = 80e6


SHARED = attrgetter("checkpoint", "task", "method", "scope", "seed", "until_damage")


def planned(request: SweepRequest) -> tuple[object, ...]:
    """Return what identifies a sweep of a grid's file, as `listed` an entry of the manifest."""
    controls = request.control_of or DEFAULT_CONTROLLED.get(request.method)
    return *SHARED(request), request.data == "written", request.points, controls


def listed(entry: library.Entry) -> tuple[object, ...]:
    layers = 1 + max(int(point.split(".")[1]) for point in entry.points)
    points = points_of(entry.points, layers)
    return *SHARED(entry), entry.source == "written", points, entry.controls


def test_the_manifest_lists_whole_grids_and_nothing_else_and_results_stay_small() -> None:
    """Of a checkpoint that is not embedded, either all sweeps are listed or none."""
    entries = library.shipped(library.Entry)
    begun = {entry.checkpoint for entry in entries}
    further = (
        request for request in read_grid(SHIPPED / "grid-base.yaml") if request.checkpoint in begun
    )
    sweeps = [planned(request) for request in (*read_grid(SHIPPED / "grid.yaml"), *further)]
    assert sorted(map(listed, entries), key=repr) == sorted(sweeps, key=repr)
    sizes = {path.name.partition(".")[0]: path.stat().st_size for path in SHIPPED_RESULTS.iterdir()}
    trained = (entry for kind, _ in library.TRAINED.values() for entry in library.shipped(kind))
    assert sorted(entry.key for entry in (*entries, *trained)) == sorted(sizes)
    for entry in entries:
        most = next(
            most for points, most in MAX_RESULT_BYTES.items() if len(entry.points) <= points
        )
        assert sizes[entry.key] <= most
    assert sum(sizes.values()) <= MAX_RESULTS_BYTES
    files = [path for path in (SHIPPED / "checkpoints").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MAX_BYTES
    for request in read_grid(SHIPPED / "grid-base.yaml"):  # known recipes on their tasks
        family, _, seed = request.checkpoint.removeprefix("recipe:").partition("-seed-")
        assert seed.isdigit()
        assert FAMILIES[family].endswith(f"fine-tuned on {TASKS[request.task].title}")


def test_results_are_of_today(
    shipped_results: dict[str, SweepResult],
    verdict_rows: list[verdicts.VerdictRow],
) -> None:
    for entry in library.shipped(library.Entry):
        result = shipped_results[entry.key]  # its schema, checksum and key were checked
        assert (result.key, result.environment["engine"]) == (
            entry.key,
            ENGINE_VERSION,
        ), entry.name
        assert library.entry_of(result) == entry
        assert result.statistics, entry.name
        assert result.task.source == "written" or len(result.task.examples) in (
            256,
            800,
        ), entry.name
    together = pool((row.result, row.alone) for row in verdict_rows)
    tables = pooled.shipped(), pooled.estimates()
    assert near(tables, (together, meanings(shipped_results.values()))), (
        "run python -m benchmarks.verdicts"
    )
    for cell in tables[0][0].cells:
        assert cell.upper == cell.control_upper == len(cell.keys), "which the claim says"
    harm = pooled.estimate("harm", "amount", HELD_AGAINST)
    undecided = pooled.estimate("harm", "change", DAMAGE)
    assert harm.value > 0 > undecided.interval[0] * undecided.interval[1], "see halves_words"
    for path, text in verdicts.documents(
        verdict_rows, *tables, pairs(shipped_results.values())
    ).items():
        assert near_text(path.read_text("utf-8"), text), "run python -m benchmarks.verdicts"
    rows = [
        row
        for view in forest_scene(tables[0], "").views.values()
        for row in view.datasets["forest"]
    ]
    drawn = verdicts.FOREST.read_text("utf-8")
    assert [row["text"] for row in rows if row["text"] not in drawn] == []


def written_result(task: str, method: str) -> SweepResult:
    """Return a shipped result on the written examples of a task; the first seed of a control."""
    entries = (
        entry
        for entry in library.shipped(library.Entry)
        if (entry.task, entry.source) == (task, "written")
    )
    return load(store.find(next(entry for entry in entries if entry.method == method).key))  # type: ignore[arg-type]


def test_the_bundled_weights_are_those_of_their_results() -> None:
    for name, known in EMBEDDED.items():
        assert written_result(known.task, "magnitude").checkpoint.revision == resolve(name).revision


@pytest.mark.parametrize(
    "method", ["random", "attribution"]
)  # random removal, as magnitude removes
def test_a_frame_is_confirmed(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shortest sentences, without torch-cka, which takes longer than all the rest."""
    monkeypatch.setattr(
        recompute,
        "_torch_cka_matrices",
        lambda *_: defaultdict(lambda: torch.tensor(torch.nan)),
    )
    deviations = recompute.verify_frame(written_result("cola", method), 0.5)
    assert deviations._replace(torch_cka=deviations.engine).within_tolerance
