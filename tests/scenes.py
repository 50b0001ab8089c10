"""Scenes of made-up results: those of the pages that can be exported, and those of the story."""

from core.charts.compare import compare_scene
from core.charts.layers import layer_scene
from core.charts.result import STAGE, result_scene
from core.charts.sentences import flip_scene, probability_scene
from core.charts.story import story
from core.charts.view import Scene
from core.findings.sentences import examples_of, selected
from core.results.prediction import Prediction
from tests.builders import make_result

AMOUNTS = (0.0, 0.25, 0.5)
RESULT = make_result(num_layers=3, amounts=AMOUNTS, holes=((0.5, 1, 0),))
OTHER = make_result(
    num_layers=3,
    amounts=AMOUNTS,
    method="random",
    seed=2,
    own_cka=lambda amount, point, size: 1 - amount * (point + 1) / size,
)
PREDICTION = Prediction(
    AMOUNTS,
    ("negative", "positive"),
    ((0.2, 0.8), (0.4, 0.6), (0.5, 0.5)),
    5,
    0,
)
STEPS = story(RESULT, "mean", [OTHER])
TOLD = {step.name: step.scene for step in STEPS if step.scene}
SCENES: dict[str, Scene] = {
    "lab": result_scene(RESULT, "mean"),
    "layers": layer_scene(RESULT, "mean", "1"),
    "compare": compare_scene(RESULT, OTHER, "mean"),
    "sentences": flip_scene(RESULT, selected(RESULT, examples_of(RESULT))),
    "probabilities": probability_scene(PREDICTION, RESULT),
    "present": result_scene(RESULT, "mean", STAGE),
}
