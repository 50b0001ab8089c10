"""What can be asked for: tasks, checkpoints, methods, points, limits; a request, checked.

Plain data and validation, no torch: the server process, the command lines and
the worker all read the same tables.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

from core.errors import PrunescopeError

ENGINE_VERSION = "1"  # part of every key: raise it when the same request gives other numbers
MAX_LENGTH = 128  # tokens a sentence or pair is truncated to
MIN_EXAMPLES = 4  # the unbiased HSIC divides by n - 3
FEW_EXAMPLES = 64  # below: a warning, the estimate is noisy
DEFAULT_EXAMPLES = 256
CALIBRATION_EXAMPLES = 1024  # or as many as there are
SUBSET_SEED = 0  # the evaluation subset's own seed; a request's seed is pruning's
SURVIVAL_THRESHOLD = 0.9

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "cached_results"


# ---------------------------------------------------------------- tasks


@dataclass(frozen=True)
class Task:
    """One GLUE classification task.

    Attributes:
        name: The configuration's name in the data set, which is also its folder.
        title: The name on screen.
        question: What the classifier decides, for a reader who does not know GLUE.
        text_columns: One column (single sentence) or two (pair).
        label_names: Names in GLUE's order of label indices.
        metrics: Names from `core.metrics`; accuracy first.
        split: The split that evaluation examples come from.
        dataset_id: The data set on the Hub.
    """

    name: str
    title: str
    question: str
    text_columns: tuple[str, ...]
    label_names: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy",)
    split: str = "validation"
    dataset_id: str = "nyu-mll/glue"


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("sst2", "SST-2", "Is this sentence positive or negative?", ("sentence",), ("negative", "positive")),
        Task(
            "cola",
            "CoLA",
            "Is this sentence acceptable English?",
            ("sentence",),
            ("unacceptable", "acceptable"),
            ("accuracy", "matthews_correlation"),
        ),
        Task(
            "mrpc",
            "MRPC",
            "Do these two sentences say the same?",
            ("sentence1", "sentence2"),
            ("not_equivalent", "equivalent"),
            ("accuracy", "f1"),
        ),
        Task(
            "qqp",
            "QQP",
            "Do these two questions ask the same?",
            ("question1", "question2"),
            ("not_duplicate", "duplicate"),
            ("accuracy", "f1"),
        ),
        Task(
            "qnli",
            "QNLI",
            "Does this sentence contain the answer to the question?",
            ("question", "sentence"),
            ("entailment", "not_entailment"),
        ),
        Task(
            "rte",
            "RTE",
            "Does the first sentence entail the second?",
            ("sentence1", "sentence2"),
            ("entailment", "not_entailment"),
        ),
        Task(
            "mnli",
            "MNLI",
            "Does the premise entail, contradict or leave open the hypothesis?",
            ("premise", "hypothesis"),
            ("entailment", "neutral", "contradiction"),
            split="validation_matched",
        ),
    )
}


# ---------------------------------------------------------------- checkpoints


@dataclass(frozen=True)
class KnownCheckpoint:
    """A checkpoint that the app offers by name.

    Attributes:
        id: `embedded:NAME` or a repository id on the Hub.
        title: The name on screen.
        task: The task that it was fine-tuned on.
        folder: Where an embedded checkpoint lies; none for the Hub.
        note: What its scores must not be read without.
    """

    id: str
    title: str
    task: str
    folder: Path | None = None
    note: str = ""


_NOTES = {
    "qqp": "What this checkpoint was made from had been trained on pairs that include Quora's duplicate questions: its "
    "scores on QQP are not clean."
}
EMBEDDED: Mapping[str, KnownCheckpoint] = {
    name: KnownCheckpoint(
        f"embedded:{name}",
        f"MiniLM-L6, fine-tuned on {TASKS[name].title}",
        name,
        SHIPPED / "checkpoints" / f"minilm-l6-{name}",
        _NOTES.get(name, ""),
    )
    for name in ("sst2", "cola", "qnli", "qqp")
}
ON_THE_HUB: tuple[KnownCheckpoint, ...] = tuple(
    KnownCheckpoint(
        f"yoshitomo-matsubara/bert-base-uncased-{name}", f"BERT-base, fine-tuned on {TASKS[name].title}", name
    )
    for name in ("sst2", "cola", "qqp", "qnli", "mrpc", "rte")
)

# The keys of core.architectures.ARCHITECTURES, which needs torch.
SUPPORTED_MODEL_TYPES = ("bert", "distilbert", "roberta", "xlm-roberta", "camembert", "electra", "mpnet")
SHARED_LAYERS = ("albert",)


def check_model_type(model_type: str, checkpoint: str) -> None:
    """Refuses a model type whose layers `core.architectures` does not know.

    Args:
        model_type: As config.json names it.
        checkpoint: The checkpoint, for the message.

    Raises:
        PrunescopeError: It is not supported.
    """
    if model_type in SHARED_LAYERS:
        raise PrunescopeError(
            f"'{checkpoint}' has model type '{model_type}', whose layers share one set of weights: none can be pruned "
            f"without all others, so there is nothing to compare; choose a checkpoint of type "
            f"{', '.join(SUPPORTED_MODEL_TYPES)}"
        )
    if model_type not in SUPPORTED_MODEL_TYPES:
        raise PrunescopeError(
            f"'{checkpoint}' has model type '{model_type[:40]}', which is not supported: choose a checkpoint of type "
            f"{', '.join(SUPPORTED_MODEL_TYPES)}"
        )


Source = Literal["hub", "folder", "embedded"]
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?(@[\w./-]{1,100})?", re.ASCII)


def source_of(checkpoint: str) -> Source:
    """Tells the kind of a checkpoint's name: embedded, an existing folder, or a Hub id.

    Args:
        checkpoint: `embedded:NAME`, a folder, or `owner/name` with an optional `@revision`.

    Raises:
        PrunescopeError: It is none of the three, or a folder on a hosted server.
    """
    if checkpoint.startswith("embedded:"):
        name = checkpoint.removeprefix("embedded:")
        if name not in EMBEDDED:
            raise PrunescopeError(f"unknown embedded checkpoint '{name}': choose one of {', '.join(EMBEDDED)}")
        return "embedded"
    if not is_hosted() and Path(checkpoint).is_dir():
        return "folder"
    if not _HUB_ID.fullmatch(checkpoint) or ".." in checkpoint or "--" in checkpoint:
        raise PrunescopeError(
            f"'{checkpoint[:120]}' is no checkpoint: give embedded:NAME, an existing folder, or a Hub id such as "
            "owner/name or owner/name@revision"
        )
    return "hub"


# ---------------------------------------------------------------- methods, points, reductions


@dataclass(frozen=True)
class Method:
    """A pruning method as it is offered; `core.pruning` implements it.

    Attributes:
        name: The word of the command line and of the result file.
        title: The name on screen.
        granularity: Whether single weights or whole units are removed.
        explanation: One sentence for a reader who knows BERT but not pruning.
        seeded: Whether a seed changes what is removed.
        calibrated: Whether it scores on labelled examples.
        control: The method that removes as much at random; none for the controls themselves.
    """

    name: str
    title: str
    granularity: Literal["weight", "neuron"]
    explanation: str
    seeded: bool = False
    calibrated: bool = False
    control: str | None = None


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "magnitude",
            "Magnitude",
            "weight",
            "The weights closest to zero go first, wherever in the scope they are (global L1 pruning).",
            control="random",
        ),
        Method(
            "wanda",
            "Wanda",
            "weight",
            "In every row of a matrix the weights go first that are small and read small inputs.",
            calibrated=True,
            control="random",
        ),
        Method(
            "random",
            "Random",
            "weight",
            "The control: as many weights of each matrix as under magnitude pruning, drawn at random.",
            seeded=True,
        ),
        Method(
            "attribution",
            "Attribution",
            "neuron",
            "The units go first that contribute least to the probability of the right label, sentence by sentence.",
            calibrated=True,
            control="random-neuron",
        ),
        Method(
            "attribution-residual",
            "Attribution, as published",
            "neuron",
            "The published procedure: hidden units go first whose contributions to the loss cancel over all sentences.",
            calibrated=True,
            control="random-neuron",
        ),
        Method(
            "random-neuron",
            "Random units",
            "neuron",
            "The control: as many units of each layer as under attribution pruning, drawn at random.",
            seeded=True,
        ),
    )
}

POINTS: Mapping[str, str] = {
    "attention": "Attention blocks",
    "layer": "Layer outputs",
    "both": "Attention blocks and layer outputs",
}


@dataclass(frozen=True)
class Reduction:
    """How the token vectors of an example become one vector."""

    name: str
    title: str
    explanation: str


REDUCTIONS: Mapping[str, Reduction] = {
    reduction.name: reduction
    for reduction in (
        Reduction("mean", "Mean over tokens", "Each sentence is the average of its token vectors."),
        Reduction("cls", "First token", "Each sentence is its first token, [CLS], which the classifier reads."),
        Reduction(
            "tokens",
            "All tokens, as published (includes sentence length)",
            "All token vectors end to end, padding set to zero: the published choice. "
            "It largely measures how long a sentence is.",
        ),
    )
}


def check_scope(scope: str | None, method: str, num_layers: int | None = None) -> None:
    """Checks a scope against its method and, where known, the model's depth.

    Args:
        scope: `encoder`, `all-linear`, `layer:K` (K from 0), or None for a neuron method.
        method: A name from METHODS.
        num_layers: The encoder's number of layers, where the model is known already.

    Raises:
        PrunescopeError: The scope does not exist, or does not fit the method.
    """
    if METHODS[method].granularity == "neuron":
        if scope is not None:
            raise PrunescopeError(f"scope '{scope}' with method '{method}': a neuron method has no scope, leave it out")
        return
    if scope in ("encoder", "all-linear"):
        return
    match = re.fullmatch(r"layer:(\d{1,4})", scope or "")
    if not match:
        raise PrunescopeError(f"unknown scope '{scope}': choose encoder, all-linear or layer:K with K from 0")
    if num_layers is not None and int(match[1]) >= num_layers:
        raise PrunescopeError(
            f"scope '{scope}': this model has {num_layers} layers, choose layer:0 to layer:{num_layers - 1}"
        )


# ---------------------------------------------------------------- limits


@dataclass(frozen=True)
class Limits:
    """Upper bounds of one request; hosted, many visitors share two cores.

    Attributes:
        examples: Evaluation examples.
        amounts: Pruning amounts, zero included.
        parameters: Parameters of the model.
        download_bytes: Bytes of one checkpoint on the Hub.
    """

    examples: int
    amounts: int
    parameters: int
    download_bytes: int


LOCAL_LIMITS = Limits(examples=10_000, amounts=101, parameters=1_000_000_000, download_bytes=6 * 1024**3)
HOSTED_LIMITS = Limits(examples=512, amounts=21, parameters=150_000_000, download_bytes=700 * 1024**2)


def is_hosted() -> bool:
    """Tells whether this process serves strangers (a Hugging Face Space, or PRUNESCOPE_HOSTED=1)."""
    return os.environ.get("PRUNESCOPE_HOSTED") == "1" or bool(os.environ.get("SPACE_ID"))


def limits() -> Limits:
    """Gives the bounds in force."""
    return HOSTED_LIMITS if is_hosted() else LOCAL_LIMITS


# ---------------------------------------------------------------- the request


def amount_text(amount: float) -> str:
    """Writes an amount as its shortest decimal of at most six places, so that 0.1 + 0.2 and 0.3 have one name.

    Args:
        amount: A fraction in [0, 1).
    """
    return format(Decimal(str(round(amount, 6))).normalize(), "f")


def parse_amounts(texts: Iterable[str | float]) -> tuple[float, ...]:
    """Reads pruning amounts; 0, the baseline, is always among them.

    Args:
        texts: Decimals, as numbers or as text.

    Returns:
        Ascending amounts in [0, 1) without repetitions.

    Raises:
        PrunescopeError: An amount is no number, or outside [0, 1).
    """
    amounts = {0.0}
    for text in texts:
        try:
            exact = Decimal(str(text).strip())
            amount = float(amount_text(float(exact))) if exact.is_finite() else float(exact)
        except InvalidOperation:
            raise PrunescopeError(f"amount '{text}' is no number: give fractions in [0, 1) such as 0,0.1,0.2") from None
        if not 0 <= amount < 1:
            raise PrunescopeError(f"amount {text} is outside [0, 1): 0 is the baseline, 0.9 removes nine tenths")
        amounts.add(amount)
    return tuple(sorted(amounts))


def stepped_amounts(step: float, largest: float) -> tuple[float, ...]:
    """Gives the multiples of a step up to the largest amount, 0 among them.

    Args:
        step: The distance of two amounts, in (0, 1).
        largest: The last amount at most, in [0, 1).
    """
    size = Decimal(amount_text(step))
    return parse_amounts(str(k * size) for k in range(int(Decimal(amount_text(largest)) / size) + 1))


DEFAULT_AMOUNTS = parse_amounts(k / 10 for k in range(10))
FINE_AMOUNTS = parse_amounts(k / 20 for k in range(20))


@dataclass(frozen=True)
class SweepRequest:
    """Everything that decides a sweep's numbers, as the Lab and the command line state it.

    Attributes:
        checkpoint: `embedded:NAME`, a folder, or a Hub id with an optional `@revision`.
        task: A name from TASKS.
        method: A name from METHODS.
        scope: Where a weight method prunes; None for neuron methods.
        points: A name from POINTS.
        amounts: Ascending fractions in [0, 1), 0 among them.
        num_examples: Evaluation examples; None is the default of 256 or as many as there are.
        seed: Of pruning; the subset's seed is fixed.
        data: `written`, `hub`, `own:DIGEST`, or a folder in the Hub's GLUE layout; None decides by the checkpoint.
        source_name: What to call the data in the result; None decides by the data.
    """

    checkpoint: str
    task: str
    method: str = "magnitude"
    scope: str | None = "encoder"
    points: str = "attention"
    amounts: tuple[float, ...] = field(default=DEFAULT_AMOUNTS)
    num_examples: int | None = None
    seed: int = 0
    data: str | None = None
    source_name: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Gives the request as plain JSON values."""
        return {**asdict(self), "amounts": list(self.amounts)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "SweepRequest":
        """Reads a request and checks it.

        Args:
            values: As `to_json` gives them; missing ones take their defaults.

        Raises:
            PrunescopeError: An unknown name, or a value out of its bounds.
        """
        known = {key: values[key] for key in cls.__dataclass_fields__ if key in values}
        return checked(cls(**{**known, "amounts": tuple(known.get("amounts", DEFAULT_AMOUNTS))}))


OWN = "own:"  # before the digest of a visitor's own sentences (`core.own_data`)
OWN_SPLIT = "upload"  # what a result calls their split
_OWN_NAME = re.compile(rf"{OWN}[0-9a-f]{{64}}")


def is_own(data: str) -> bool:
    """Tells whether a request's data are a visitor's own sentences.

    Args:
        data: As in a request.
    """
    return bool(_OWN_NAME.fullmatch(data))


def choose(value: str, known: Iterable[str], word: str) -> str:
    """Returns `value` if it is known.

    Args:
        value: What was asked for.
        known: What there is.
        word: What it is called, for the message.

    Raises:
        PrunescopeError: It is not known.
    """
    names = list(known)
    if value not in names:
        raise PrunescopeError(f"unknown {word} '{value}': choose one of {', '.join(names)}")
    return value


def checked(request: SweepRequest) -> SweepRequest:
    """Returns the request with its defaults decided, or refuses it.

    Raises:
        PrunescopeError: An unknown name, or a value out of its bounds.
    """
    choose(request.task, TASKS, "task")
    choose(request.method, METHODS, "method")
    choose(request.points, POINTS, "points")
    check_scope(request.scope, request.method)
    source = source_of(request.checkpoint)
    data = request.data or ("written" if source == "embedded" else "hub")
    is_folder = data not in ("written", "hub") and not is_own(data)
    if is_folder and is_hosted():
        raise PrunescopeError(
            "a data folder is not available on a hosted server: choose written or hub, or run locally"
        )
    if is_folder and not Path(data).is_dir():
        raise PrunescopeError(f"data '{data}' is no folder: give written, hub, or a folder in the Hub's GLUE layout")
    bound, amounts = limits(), parse_amounts(request.amounts)
    if len(amounts) > bound.amounts:
        raise PrunescopeError(f"{len(amounts)} amounts: at most {bound.amounts} in one sweep, use larger steps")
    count = request.num_examples
    if count is not None and not MIN_EXAMPLES <= count <= bound.examples:
        raise PrunescopeError(f"{count} examples: choose {MIN_EXAMPLES} to {bound.examples} (CKA needs at least 4)")
    if not 0 <= request.seed < 2**32:
        raise PrunescopeError(f"seed {request.seed} is outside 0 to {2**32 - 1}: choose one inside")
    return SweepRequest(**{**asdict(request), "amounts": amounts, "data": data})
