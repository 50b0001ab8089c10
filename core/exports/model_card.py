"""Write the README of a pruned, a trained or a smaller checkpoint.

Its base, what was removed, and its scores.
"""

import shlex

from huggingface_hub import ModelCardData

from core.findings.cut import CutChoice, frontier_of
from core.findings.words import cut as words
from core.findings.words.numbers import decimals
from core.request.amounts import amount_text
from core.request.catalog import METHODS, METRICS, TASKS
from core.request.limits import DATASET
from core.request.pages import LOSS
from core.results import names as n
from core.results.cut import CutStudy, Result, Trained
from core.results.fields import Bounds
from core.results.provenance import recompute_script, task_of
from core.results.recovery import Recovery
from core.results.schema import Frame, SweepResult, TaskRecord, Worth

LOADING = """from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder = {folder!r}
model = AutoModelForSequenceClassification.from_pretrained(folder, dtype="float32")
tokenizer = AutoTokenizer.from_pretrained(folder)"""
READERS = {  # of tables, by the ends of their names
    "csv": "pandas.read_csv({!r}, dtype=str, keep_default_na=False)",
    "tsv": "pandas.read_table({!r}, dtype=str, keep_default_na=False)",
    "parquet": "pandas.read_parquet({!r})",
    "jsonl": "pandas.read_json({!r}, lines=True)",
}
# Of scikit-learn; else F1's.
SCORERS = {"accuracy": "accuracy_score", "matthews_correlation": "matthews_corrcoef"}
RESULT_FILE = "result.json"  # in a trained model's folder: the study or recovery that it is from


def model_card(result: SweepResult, frame: Frame, licence: str | None) -> str:
    """Write the card of a pruned checkpoint.

    Args:
        result: The sweep.
        frame: The frame whose weights the folder holds.
        licence: The base's; None if it is unknown.
    """
    trained = "It was not trained after pruning."
    return f"""{_pruned_card(result, frame, frame.amount, licence, trained)}
| sparsity: removed / all parameters | {frame.sparsity:.4f} |

This computes the result, whose key is `{result.key}`.

```shell
{recompute_script(result)}
```
"""


def recovered_card(recovery: Recovery, folder: str, licence: str | None) -> str:
    """Write the card of a pruned checkpoint that was trained again, its zeros held.

    See `cut_card`.
    """
    rows = words.training_words(recovery.rows)
    trained = f"Then all layers and the classifier were trained, zeros held, for\n{rows}."
    return f"""{_pruned_card(recovery, recovery.frames[-1], recovery.amount, licence, trained)}

{_scoring(recovery, folder)}"""


def _pruned_card(
    result: SweepResult | Recovery,
    frame: Worth,
    amount: float,
    licence: str | None,
    then: str,
) -> str:
    """Write how a checkpoint was pruned, what it scores, and the beginning of a table about it."""
    method = result.pruning.method
    by = result.pruning.calibration
    scored = f", scored on {by.num_examples} examples, {by.source_name}" if by else ""
    again = " and trained again" if isinstance(result, Recovery) else ""
    return f"""{_beginning(result, frame, method, licence)}, \
pruned by {n.amount_name(amount)}{again}

{n.pruning_name(result)}{scored}, written by Prunescope. \
{METHODS[method].explanation} Removed weights are zeros in place:
the model is as large and as fast as its base. {then}
{_question(result)}

On {n.data_name(result)}:

{score_table(frame)}

{_base(result, licence)}
| amount | {amount_text(amount)} |"""


def cut_card(
    study: CutStudy,
    choice: CutChoice,
    folder: str,
    licence: str | None,
    differing: int,
) -> str:
    """Write the card of a smaller model: what was done, on what, and what it costs.

    Args:
        study: The study.
        choice: One of the models that it offers.
        folder: The name of the model's folder.
        licence: The base's; None if it is unknown.
        differing: Judged rows whose label this model predicts differently from the study's.
    """
    size = choice.depth.size
    full = study.full_size
    frontier = frontier_of(study)
    compared = {f"{study.task.main_metric}, beside the base": choice.difference}
    compared |= {f"times as fast, batch of {batch}": times for batch, times in size.speeds.items()}
    rows = "\n".join(
        _row(name, figure.value, (figure.low, figure.high)) for name, figure in compared.items()
    )
    removed = n.in_sentence(words.removed_name(frontier, choice))
    judged = len(study.task.gold)
    again = (
        f"\nRefitted again, it predicts {differing} of {judged:,} judged rows otherwise."
        if differing
        else ""
    )
    return f"""{_beginning(study, choice.depth.saved, "cut", licence)}, made smaller

Written by Prunescope. Really removed: {removed} of {study.checkpoint.num_layers}, counted from 1. \
{words.refit_words(study)}
The weights are those of step {choice.depth.steps}.{again}
{_question(study)}

On {n.data_name(study)}, which took no part in refitting:

{score_table(choice.depth.saved)}
{rows}

At the usual limit, this depth is {words.limit_words(frontier, choice, float(LOSS.default))}. \
{words.machine_words(study)}.

{_base(study, licence)}
| bytes | {size.bytes:,}, of the base {full.bytes:,} |
| parameters | {size.parameters:,}, of the base {full.parameters:,} |

{_scoring(study, folder)}"""


def _scoring(study: Trained, folder: str) -> str:
    """Write the code that scores a trained model, and the key."""
    return f"""These lines print its {METRICS[study.task.main_metric].symbol}, \
and `{upload_line(folder)}` publishes it:

```python
{scoring_lines(study, folder)}
```

All figures are in {RESULT_FILE}, whose key is `{study.key}`.
"""


def scoring_lines(study: Trained, folder: str) -> str:
    """Return the code that scores a saved model on the judged rows, with plain transformers.

    Args:
        study: The study or the recovery; its file in the folder has the numbers of the rows.
        folder: The folder.
    """
    task, texts = study.task, task_of(study.task).text_columns
    columns = ", ".join(f"rows[{column!r}]" for column in texts)
    macro = (
        ", labels=list(set(task['gold'])), average='macro'"
        if task.main_metric == "macro_f1"
        else ""
    )
    inputs = (
        f"list({columns})"
        if len(texts) == 1
        else f"[dict(text=a, text_pair=b) for a, b in zip({columns})]"
    )
    return f"""import json, pandas, sklearn.metrics, transformers
task = json.load(open({f"{folder}/{RESULT_FILE}"!r}))["task"]
predict = transformers.pipeline("text-classification", {folder!r}, dtype="float32")

rows = {_reading_code(task)}.iloc[task["examples"]]
answers = predict({inputs}, truncation=True, max_length={task.max_length})
answers = [predict.model.config.label2id[answer["label"]] for answer in answers]
print(sklearn.metrics.{SCORERS.get(task.main_metric, "f1_score")}(task["gold"], answers{macro}))"""


def _reading_code(task: TaskRecord) -> str:
    """Return the code that reads the table of a task's rows."""
    place = task.files[0].name if task.files else f"{task.name}/{task.split}-00000-of-00001.parquet"
    if task.source == "written":
        place = f"cached_results/subsets/{task.name}.jsonl"
    elif task.source == "hub":
        dataset = task.data.removeprefix(DATASET) if task.data else TASKS[task.name].dataset_id
        place = f"hf://datasets/{dataset}/{place}"
    return READERS[place.rpartition(".")[2]].format(place)


def upload_line(folder: str) -> str:
    """Return the command that publishes a folder on the Hub."""
    return f"hf upload OWNER/NAME {shlex.quote(folder)}"


def _beginning(result: Result, scored: Worth, tag: str, licence: str | None) -> str:
    """Write the metadata and the first words of the title."""
    base = result.checkpoint.id if result.checkpoint.source == "hub" else None
    fields = {
        "pipeline_tag": "text-classification",
        "metrics": list(scored.metrics),
        "tags": ["pruned", tag],
    }
    metadata = ModelCardData(license=licence, base_model=base, **fields)
    return f"---\n{metadata.to_yaml()}\n---\n\n# {n.checkpoint_name(result)}"


def _question(result: Result) -> str:
    task = task_of(result.task)
    labels = ", ".join(result.task.label_names)
    return f"{task.title}: {task.question} The labels are in the order {labels}."


def _base(result: Result, licence: str | None) -> str:
    checkpoint = result.checkpoint
    revision = "revision" if checkpoint.source == "hub" else "content"
    return f"""| | |
|---|---|
| base | `{checkpoint.id}`, {revision} `{checkpoint.revision}`, {checkpoint.architecture} |
| licence | {licence or "that of the base"} |"""


def score_table(scored: Worth) -> str:
    """Tabulate every metric with its value and 95 % interval."""
    rows = (_row(name, value, scored.intervals.get(name)) for name, value in scored.metrics.items())
    return "\n".join(("| metric | value | 95 % interval |", "|---|---|---|", *rows))


def _row(name: str, value: float | None, interval: Bounds | None) -> str:
    ends = " to ".join(decimals(end, 3) for end in interval) if interval else "unknown"
    written = "undefined" if value is None else decimals(value, 4)
    return f"| {name.replace('_', ' ')} | {written} | {ends} |"
