"""Show a result in a notebook: as the player below a cell, as a pandas table, as a file."""

import html
from pathlib import Path
from typing import TYPE_CHECKING, Self

from core.charts.result import result_scene
from core.exports.player_page import player_page
from core.exports.tables import OWN_COLUMNS, own_rows
from core.request.catalog import REDUCTION, REDUCTIONS
from core.results import store
from core.results.key import sealed
from core.results.library import entry_of
from core.results.names import point_names
from core.results.schema import SweepResult

if TYPE_CHECKING:
    from pandas import DataFrame

# The player's height: in a column narrower than 736px its pictures stand below each other.
STYLE = "width: 100%; height: calc(880px + clamp(0px, (736px - 100cqw) * 999, 700px)); border: 0"


class NotebookResult(SweepResult):
    """A whole sweep for a notebook.

    Its fields are those of the result file (`core.results.schema`).
    """

    @classmethod
    def of(cls, result: SweepResult) -> Self:
        """Return a whole result for a notebook, with the checksum of its file."""
        return cls(**dict(sealed(result)))

    def __repr__(self) -> str:
        """Return the name of the result, whose numbers would fill pages."""
        return f"<{entry_of(self).name}; {len(self.frames)} amounts>"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Return the player in an iframe whose scripts cannot reach the notebook.

        It works without a network. A notebook saved with it grows by 1 MB.
        """
        scenes = {reduction: result_scene(self, reduction) for reduction in REDUCTIONS}
        page = player_page(scenes[REDUCTION], (self,), choices=scenes)
        return (
            '<div style="container-type: inline-size">'
            f'<iframe sandbox="allow-scripts" style="{STYLE}" '
            f'srcdoc="{html.escape(page)}"></iframe>'
            "</div>"
        )

    def to_frame(self) -> "DataFrame":
        """Return a pandas table, one number a row with its 95 % interval, `low` to `high`.

        `measure` names the `value`: a metric such as `accuracy`, the share of
        `changed_predictions`, or, under a `reduction`, `cka`, the similarity of a `point`, such as
        `Layer 1, attention block`, to itself without pruning. Undefined or unknown numbers are
        missing. Points are sorted by depth.
        """
        import pandas as pd  # takes half a second

        titles = [name.title for name in point_names(self.points)]
        table = pd.DataFrame(own_rows(self), columns=list(OWN_COLUMNS))
        by_depth = pd.Categorical(table["point"], self.points, ordered=True)
        table["point"] = by_depth.rename_categories(titles)
        return table.astype({"value": float, "low": float, "high": float})

    def save(self, path: str | Path | None = None) -> Path:
        """Write the result file, which `load_result` and the app can open, and return its path.

        Args:
            path: A file whose name ends in .json, or a folder; None for the folder in which the app
                looks for results.

        Raises:
            PrunescopeError: It cannot be written.
        """
        return store.save(self, None if path is None else Path(path))
