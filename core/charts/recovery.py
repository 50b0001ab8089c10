"""The pictures of a recovery, step by step: every pair of layers, and the score."""

import altair as alt

from core.charts import grammar as g
from core.charts.accuracy import curve_rows, fields_of, numbers_of
from core.charts.matrix import NEAREST, heatmap_view
from core.charts.view import Layout, Scene, View
from core.findings.layers import nearest_in, similarities
from core.findings.words.numbers import main_score
from core.findings.words.recovery import step_name
from core.request.catalog import METRICS, REDUCTION
from core.results.names import origins
from core.results.recovery import Recovery

LAYOUT = Layout(
    "recover",
    '"cka score" 23 "bar bar" auto / 1fr 1fr',
    '"cka" 21rem "bar" auto "score" 15rem / 1fr',
)
STEPS = "Steps of training"
LEGEND = "thin line: the unpruned model, trained as long"


def recover_scene(recovery: Recovery, title: str) -> Scene:
    """Draw a recovery, or its first frames, at least one."""
    main = recovery.task.main_metric
    frames = recovery.frames
    data = {"amounts": g.amount_rows(frame.step for frame in frames)}
    for name, part in (("accuracy", frames), ("unpruned", recovery.unpruned)):
        data[name] = curve_rows(part, [frame.step for frame in part], part, main)
    heading = f"{METRICS[main].title} with its 95 % interval;\n{LEGEND}"
    nearest = nearest_in(similarities(frames, REDUCTION))
    views = {
        "cka": heatmap_view(recovery, frames, REDUCTION, NEAREST, nearest),
        "score": View(
            _score,
            (main, recovery.steps),
            data,
            heading,
            numbers_of((main,)),
        ),
    }
    moments = [
        g.step(frame.step, step_name(frame.step), main_score(recovery.task, frame))
        for frame in frames
    ]
    return Scene(title, origins((recovery,), REDUCTION), views, moments, LAYOUT, STEPS)


def _score(metric: str, steps: tuple[int, ...]) -> g.LayerChart:
    """Draw the score of either model; steps stand wider apart at the beginning."""
    axis = alt.Axis(values=[*steps], titleAnchor="start")
    x = alt.X(
        "amount:Q",
        title=STEPS,
        axis=axis,
    ).scale(type="sqrt", domain=[0, steps[-1]])
    y = g.share_axis(values=alt.Undefined, tickCount=6).scale(zero=False)
    curve = g.data("accuracy").encode(x=x, y=y)
    other = g.data("unpruned").encode(x=x, y=y)
    return alt.layer(
        g.band(curve),
        g.current_amount_rule(),
        other.mark_line(style="chance", strokeWidth=1.5),
        curve.mark_line(style="series"),
        g.current_amount_marker(curve),
        g.hover(curve, g.tooltip({STEPS: "amount:N", **fields_of((metric,))})),
    )
