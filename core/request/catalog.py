"""The tables of tasks, checkpoints, methods, points and reductions, which every process reads."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

ENGINE_VERSION = "2"  # part of every key: raise it when the same request gives different numbers
DTYPE: Literal["float32"] = "float32"  # of forward passes, unless a request asks for another one
MAX_LENGTH = 128  # tokens a sentence or pair is truncated to
MAX_LAYERS = 96
MAX_NAME_CHARS = 1000  # the longest name in a result: a label, a column, a file
MIN_EXAMPLES = 4  # the unbiased HSIC divides by n - 3
FEW_EXAMPLES = 64  # fewer give a noisy estimate, and a warning
MIN_PROMISED = 100  # judged rows of a cut; of fewer, nothing is promised
DEFAULT_EXAMPLES = 256
CALIBRATION_EXAMPLES = 1024  # at most
MIN_CALIBRATION = 16  # if the same table has to serve evaluation
SUBSET_SEED = 0  # draws the eval subset; a request's seed is for pruning
SURVIVAL_THRESHOLD = 0.9  # CKA, by convention
CONFIDENCE = 0.95  # for every interval
DAMAGE, REDUCTION = 0.05, "mean"  # where verdicts are judged
SECOND_DAMAGE = 0.1  # shown beside a verdict

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "cached_results"
WEIGHTS = ROOT / "weights"  # made here as docs/recipes.md says, not shipped
RECIPE = "recipe:"  # precedes the name of such weights


class Task(NamedTuple):
    """A classification task: a preset of GLUE or of this project, or one of a checkpoint's labels.

    Attributes:
        name: A preset's configuration in the data set and its folder on disk, or `auto`.
        title: The name on screen.
        question: The classifier's question, for readers new to GLUE.
        text_columns: One column (single sentence) or two (pair).
        label_names: Names in the order of label indices; a checkpoint's LABEL_0 means the first.
        metrics: Names from METRICS; accuracy first.
        split: The split of the evaluation examples.
        dataset_id: A preset's data set on the Hub; empty if there is none.
    """

    name: str
    title: str
    question: str
    text_columns: tuple[str, ...]
    label_names: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)
    split: str = "validation"
    dataset_id: str = "nyu-mll/glue"

    @property
    def main_metric(self) -> str:
        """The metric that the working range is judged by."""
        return max(self.metrics, key=("f1", "accuracy", "matthews_correlation", "macro_f1").index)


_ONE = ("sentence",)
_PAIR = ("sentence1", "sentence2")
_ENTAILED = ("entailment", "not_entailment")
_F1 = ("accuracy", "matthews_correlation", "f1")
SEVERAL_CLASSES = ("accuracy", "matthews_correlation", "macro_f1")  # metrics of other classifiers
_TASKS = (
    Task("sst2", "SST-2", "Is this sentence positive or negative?", _ONE, ("negative", "positive")),
    Task(
        "cola",
        "CoLA",
        "Is this sentence acceptable English?",
        _ONE,
        ("unacceptable", "acceptable"),
        metrics=("accuracy", "matthews_correlation"),
    ),
    Task(
        "mrpc",
        "MRPC",
        "Do these two sentences mean the same?",
        _PAIR,
        ("not_equivalent", "equivalent"),
        metrics=_F1,
    ),
    Task(
        "qqp",
        "QQP",
        "Do these two questions ask the same thing?",
        ("question1", "question2"),
        ("not_duplicate", "duplicate"),
        metrics=_F1,
    ),
    Task(
        "qnli",
        "QNLI",
        "Does this sentence contain the answer to the question?",
        ("question", "sentence"),
        _ENTAILED,
    ),
    Task("rte", "RTE", "Does the first sentence entail the second?", _PAIR, _ENTAILED),
    Task(
        "mnli",
        "MNLI",
        "Does the premise entail, contradict or leave open the hypothesis?",
        ("premise", "hypothesis"),
        ("entailment", "neutral", "contradiction"),
        split="validation_matched",
    ),
    Task(
        "messages",
        "Messages",
        "What does this message do?",
        _ONE,
        (
            "apology",
            "complaint",
            "invitation",
            "offer",
            "refusal",
            "request",
            "thanks",
            "warning",
        ),
        metrics=SEVERAL_CLASSES,
        dataset_id="",
    ),
)
TASKS: Mapping[str, Task] = {task.name: task for task in _TASKS}


class Metric(NamedTuple):
    """A classification metric as the app shows it; `core.sweep.scores` implements it.

    Attributes:
        title: The name on screen.
        symbol: The short name beside a number.
        domain: The values at the ends of its axis; values beyond are drawn at the edge.
    """

    title: str
    symbol: str
    domain: tuple[float, float] = (0.0, 1.0)


METRICS: Mapping[str, Metric] = {
    "accuracy": Metric("Accuracy", "accuracy"),
    # Its range begins at -1, but a classifier below -0.25 has its labels mixed up.
    "matthews_correlation": Metric("Matthews correlation", "MCC", (-0.25, 1.0)),
    "f1": Metric("F1", "F1"),
    "macro_f1": Metric("Macro F1", "macro F1"),
}


class KnownCheckpoint(NamedTuple):
    """A checkpoint that the app offers, called `embedded:NAME` or by its id on the Hub.

    Attributes:
        title: The name on screen.
        task: The task of its fine-tuning.
        folder: The folder of an embedded checkpoint; None for the Hub.
    """

    title: str
    task: str
    folder: Path | None = None


# Families of checkpoints that differ only in the seed, by the names of recipes and of folders of
# embedded checkpoints.
FAMILIES: Mapping[str, str] = {
    f"{encoder}-{task.name}": f"{title}, fine-tuned on {task.title}"
    for encoder, title in (("minilm-l6", "MiniLM-L6"), ("mpnet-l12", "MPNet-L12"))
    for task in TASKS.values()
}
EMBEDDED: Mapping[str, KnownCheckpoint] = {
    f"embedded:{task}": KnownCheckpoint(
        FAMILIES[f"minilm-l6-{task}"], task, SHIPPED / f"checkpoints/minilm-l6-{task}"
    )
    for task in ("sst2", "cola", "qnli", "qqp", "messages")
}
CHECKPOINTS: Mapping[str, KnownCheckpoint] = dict(EMBEDDED) | {
    id_.format(name, TASKS[name].title): KnownCheckpoint(
        f"{title}, fine-tuned on {TASKS[name].title}", name
    )
    for id_, title in (
        ("yoshitomo-matsubara/bert-base-uncased-{0}", "BERT-base"),
        ("textattack/bert-base-uncased-{1}", "BERT-base of TextAttack"),
    )
    for name in ("sst2", "cola", "qqp", "qnli", "mrpc", "rte")
}

# Their positions begin after the padding's id.
LATER_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")
# The keys of core.encoder.architectures.ARCHITECTURES, whose import needs torch.
SUPPORTED_MODEL_TYPES = (
    "bert",
    "distilbert",
    *LATER_POSITIONS,
    "electra",
    "deberta-v2",
    "modernbert",
)
NORMALISE_FIRST = ("modernbert",)  # their layers normalise a block's input, not the sum after it
EAGER_ATTENTION = ("mpnet", "deberta-v2")  # PyTorch's fused attention cannot compute theirs


class Method(NamedTuple):
    """A pruning method as the app offers it; its module in `core.pruning` has its name.

    Attributes:
        name: The name on screen, without the variant.
        explanation: A sentence or two for readers who know BERT but not pruning.
        removes: Single weights, whole units that can be removed cleanly, or hidden units with their
            parameters.
        calibrated: Whether it scores on calibration examples.
        control: The method that removes as much at random, by a seed; None for controls.
        likely_stop: The amount at which its control has probably reached the largest damage
            compared; the method itself reaches it at about twice as much.
        variant: What distinguishes it from another method of its name, or what that leaves open.
    """

    name: str
    explanation: str
    removes: Literal["weights", "units", "hidden units"] = "weights"
    calibrated: bool = False
    control: str | None = "random"
    likely_stop: float = 0.21
    variant: str = ""

    @property
    def title(self) -> str:
        """The name on screen."""
        return f"{self.name} ({self.variant})" if self.variant else self.name

    @property
    def granularity(self) -> Literal["weight", "neuron"]:
        """Whether it removes single weights or whole units."""
        return "weight" if self.removes == "weights" else "neuron"

    @property
    def is_random(self) -> bool:
        """Whether it is a control."""
        return self.control is None

    def suits(self, model_type: str) -> bool:
        """Whether it suits an architecture: layers that normalise first own no hidden unit."""
        return not self.empties or model_type not in NORMALISE_FIRST

    @property
    def empties(self) -> bool:
        """Whether it leaves nothing of a layer, not even biases, so that there is no floor."""
        return self.removes == "hidden units"


METHODS: Mapping[str, Method] = {
    "magnitude": Method(
        "Magnitude",
        "The weights closest to zero go first, whichever layer they are in (global L1 pruning).",
    ),
    "ramp": Method(
        "Ramp",
        "In each layer the weights closest to zero go first, more of them the higher the layer: "
        "from half the amount in the first to one and a half times in the last.",
        variant="more from upper layers",
    ),
    "wanda": Method(
        "Wanda",
        "In every row of a matrix, small weights that read small inputs go first.",
        calibrated=True,
    ),
    "random": Method(
        "Random",
        "The control: removes as many weights of each matrix as another method does, at random.",
        control=None,
    ),
    "attribution": Method(
        "Attribution",
        "Removes whole units, the least useful first: by how much each changes the probability of "
        "the correct label, up or down.",
        "units",
        calibrated=True,
        control="random-neuron",
        likely_stop=0.4,
    ),
    "attribution-residual": Method(
        "Attribution",
        "The student experiment's procedure: removes first the hidden units whose summed "
        "contribution to the loss is closest to zero.",
        "hidden units",
        calibrated=True,
        control="random-neuron",
        likely_stop=0.12,
        variant="as published",
    ),
    "random-neuron": Method(
        "Random units",
        "The control: removes as many units of each layer as another method does, at random.",
        "units",
        control=None,
    ),
}

# The fewest to judge a method by; controls of units vary more.
CONTROL_SEEDS = {"weight": 5, "neuron": 10}
# The method that a control follows.
DEFAULT_CONTROLLED = {"random": "magnitude", "random-neuron": "attribution"}

POINTS: Mapping[str, str] = {
    "attention": "Attention blocks",
    "layer": "Layer outputs",
    "both": "Attention blocks and layer outputs",
}


class Reduction(NamedTuple):
    """A reduction of an example's token vectors to one vector."""

    title: str
    explanation: str


REDUCTIONS: Mapping[str, Reduction] = {
    "mean": Reduction("Mean over tokens", "Each sentence is the average of its token vectors."),
    "cls": Reduction(
        "First token", "Each sentence is its first token, [CLS], which most classifiers read."
    ),
    "tokens": Reduction(
        "All tokens (as published; sensitive to length)",
        "All token vectors end to end, as published, but with padding set to zero. "
        "In many layers, above all the lower ones, it partly measures how long a sentence is.",
    ),
}

# Reductions over one batch of all examples, which allows a jackknife.
SINGLE_BATCH = ("mean", "cls")
