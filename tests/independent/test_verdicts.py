"""The table of verdicts on the shipped results, against the same by its definitions."""

import numpy as np
import pytest

from benchmarks.verdicts import VerdictRow
from tests.independent import verdicts

TOLERANCE = 1e-6


def test_every_row(verdict_rows: list[VerdictRow]) -> None:
    table = verdicts.shipped()
    assert {row.result.key for row in verdict_rows} == set(table)
    for row in verdict_rows:
        found, known, (_, expected) = row.verdict, row.verdict.contrast, table[row.result.key]
        assert found.control_shares == pytest.approx(expected.control_shares, abs=TOLERANCE)
        numbers = found.share, known.difference, known.seed_deviation, known.standard_error
        numbers = (*numbers, known.mean_half_width(), known.half_width(), known.p_value)
        wanted = expected.share, expected.difference, expected.deviation, expected.error
        wanted = (*wanted, expected.mean_half, expected.draw_half, expected.p_value)
        assert numbers == pytest.approx(wanted, abs=TOLERANCE)
        np.testing.assert_allclose(found.apart[1], expected.replicates, atol=TOLERANCE)
        assert (found.state, found.reason, found.flags) == (expected.state, expected.reason, expected.flags)
