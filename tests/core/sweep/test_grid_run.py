"""What a grid is expected to take: the forward passes that its sweeps make, less those that they share."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from core.request.sweep_request import SweepRequest, usual_scope
from core.sweep import grid_run
from core.sweep.estimate import Pace
from core.sweep.grid_plan import plan_grid
from core.sweep.grid_run import estimate_grid

AMOUNTS = (0.0, 0.4, 0.8)
ALL = {"range_examples": "all"}
REST = 26 / 70  # of 96 examples, 70 are compared

Settings = Sequence[dict[str, str]]


def estimated(folder: Path, glue: Path, output: Path, settings: Settings) -> list[float]:
    """The estimate of each sweep where a pass takes a second and scores nothing, in the order in which they run."""
    requests = [
        SweepRequest(
            str(folder),
            "sst2",
            data=str(glue),
            amounts=AMOUNTS,
            num_examples=70,
            **{"scope": usual_scope(options.get("method", "magnitude")), **options},
        )
        for options in settings
    ]
    sweeps, failures = plan_grid(requests, {}, output, None)
    assert not failures
    found = estimate_grid(sweeps).seconds
    return [found[planned.key] for planned in sweeps]


@pytest.mark.parametrize(
    ("settings", "passes"),
    [
        (({}, {"method": "random"}), [3 + 1, 2]),  # three amounts and the emptied model; then two amounts
        (({}, {"method": "random", "scope": "all-linear"}), [4, 3]),  # emptied of more
        (({}, {"method": "random-neuron"}), [4, 2]),  # it is held against the same emptied encoder
        ((ALL, {"method": "random", **ALL}), [3 * (1 + REST) + 1, 2 * (1 + REST)]),
        ((ALL, {"method": "random"}), [3 * (1 + REST) + 1, 2]),
        (({"method": "random"}, ALL), [4, 3 * (1 + REST)]),  # the unpruned model has not seen the rest
    ],
)
def test_sweeps_are_not_charged_for_what_they_share(
    tiny_bert: Path,
    glue_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    passes: list[float],
) -> None:
    monkeypatch.setattr(grid_run, "measure", lambda *_: Pace(preparation=0.0, per_amount=1.0))
    assert estimated(tiny_bert, glue_folder, tmp_path, settings) == pytest.approx(passes)
