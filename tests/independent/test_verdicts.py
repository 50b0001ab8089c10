"""The table of verdicts on the shipped results, against the same by its definitions."""

import numpy as np
import pytest

from benchmarks.verdicts import verdict_table
from core.results.schema import SweepResult
from core.results.store import SHIPPED_RESULTS
from tests.independent import verdicts

TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def table() -> dict[str, verdicts.Row]:
    return verdicts.table(verdicts.read(SHIPPED_RESULTS))


def test_every_row(table: dict[str, verdicts.Row], shipped_results: dict[str, SweepResult]) -> None:
    rows = verdict_table([*shipped_results.values()])
    assert {row.result.key for row in rows} == set(table)
    for row in rows:
        found, known, expected = row.verdict, row.verdict.contrast, table[row.result.key]
        assert known
        assert found.share == pytest.approx(expected.share, abs=TOLERANCE)
        assert found.control_shares == pytest.approx(expected.control_shares, abs=TOLERANCE)
        numbers = (
            known.difference,
            known.seed_deviation,
            known.standard_error,
            known.mean_half_width(),
            known.half_width(),
        )
        assert numbers == pytest.approx(
            (expected.difference, expected.deviation, expected.error, expected.mean_half, expected.draw_half),
            abs=TOLERANCE,
        )
        np.testing.assert_allclose(found.apart[1], expected.replicates, atol=TOLERANCE)
        assert known.p_value == pytest.approx(expected.p_value, abs=TOLERANCE)
        assert (found.state, found.reason not in (None, "interval too wide")) == (expected.state, expected.obstacle)
