"""`python -m core.site`: write the static edition, a folder of pages that need no server.

Without options it shows the shipped results of the bundled checkpoints. The folder can be put on a
static Space or any web server, or opened from a disk. Progress goes to standard error, the path of
index.html to standard output.
"""

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from core.command_line import OneLineParser, importing, progress_shown, run_command, say
from core.errors import PrunescopeError
from core.results.store import check_writable


def make_parser() -> OneLineParser:
    """Define the options."""
    parser = OneLineParser(prog="python -m core.site", description=__doc__)
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="where to write: a new one, or one written before",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="result files of your own, not the shipped ones",
    )
    parser.add_argument(
        "--select", type=Path, metavar="FILE", help="text with the keys or addresses of the results"
    )
    return parser


def main(options: argparse.Namespace) -> None:
    """Write the static edition and print its path."""
    with importing():  # only now, so that --help does without
        from core.exports.site_edition import PART, is_replaceable, replace, write_site
        from core.exports.site_shelf import shelf_of

    folder: Path = options.folder
    if folder.exists() and not is_replaceable(folder):
        raise PrunescopeError(
            f"{folder} is not empty and holds no static edition: choose a new folder"
        )
    check_writable(folder)
    shelf = shelf_of(options.results, options.select)
    try:
        for part in folder.glob(f"{PART}*"):
            shutil.rmtree(part)
        with TemporaryDirectory(dir=folder, prefix=PART) as place:
            with progress_shown("site", "result") as report:
                problems = write_site(shelf, Path(place), options.results is not None, report)
            for part in Path(place).iterdir():  # the old edition stays until all is written
                replace(folder / part.name, part)
    except OSError as error:
        raise PrunescopeError(
            f"cannot write {folder} ({error.strerror}): make room there"
        ) from error
    for problem in problems:
        say(f"left out: {problem}")
    print(folder / "index.html")


if __name__ == "__main__":
    run_command(make_parser(), main)
