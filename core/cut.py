"""`python -m core.cut`: refuses new studies of cuts, until what is left of a cut checkpoint can be refitted."""

from collections.abc import Sequence
from typing import NoReturn

from core.command_line import run_command
from core.errors import PrunescopeError


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Refuse a new study."""
    raise PrunescopeError("no new studies of cuts are made at present: see the shipped ones on the page Cut")


if __name__ == "__main__":
    run_command(main)
