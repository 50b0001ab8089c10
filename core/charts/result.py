"""The pictures of one result: pairs of layers, how well the model does, the layers themselves."""

from core.charts import grammar as g
from core.charts.accuracy import accuracy_view
from core.charts.matrix import heatmap_view
from core.charts.stack import stack_view
from core.charts.view import Layout, Scene
from core.findings.words.numbers import main_score
from core.results import names as n
from core.results.schema import SweepResult

# The heatmap beside accuracy and the stack; on a slide the bands of twelve layers are high enough
# for a line each.
SINGLE = Layout(
    "single",
    wide='"heatmap accuracy" 14.125 "heatmap stack" 14.125 "bar bar" auto / 26.5 1fr',
    narrow='"heatmap" min(108cqw, 28rem) "bar" auto "accuracy" 13rem "stack" 18.5rem / 1fr',
    slide='"heatmap accuracy" 33fr "heatmap stack" 70fr / 3fr 4fr',
)
# The same on a projector, where it fills the screen; the bar stands beside the caption there, in a
# file below.
STAGE = SINGLE._replace(
    name="present",
    wide='"heatmap accuracy" 2fr "heatmap stack" 3fr "bar bar" auto / 1fr 1fr',
)


def result_scene(result: SweepResult, reduction: str, layout: Layout = SINGLE) -> Scene:
    """Show a whole sweep or its first frames, at least one, as the Lab and Present do.

    Returns:
        The pictures `heatmap`, `accuracy` and `stack`.
    """
    views = {
        "heatmap": heatmap_view(result, result.frames, reduction),
        "accuracy": accuracy_view(result),
        "stack": stack_view(result, reduction),
    }
    return Scene(
        n.pruning_name(result),
        n.origins((result,), reduction),
        views,
        player_frames(result),
        layout,
    )


def player_frames(result: SweepResult) -> g.Rows:
    """Return each frame's amount, its name, and the main metric beside it."""
    return [
        g.step(
            frame.amount,
            n.removed_name(frame.amount, result),
            main_score(result.task, frame),
        )
        for frame in result.frames
    ]
