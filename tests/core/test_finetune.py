"""How a checkpoint is made, on a tiny one: what is stored is what was trained, with fewer words."""

import json
import re
import shutil
from itertools import chain, count, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import accuracy_score, matthews_corrcoef
from statsmodels.stats.proportion import proportion_confint
from tiny import VOCABULARY, make_bert, make_encoder, make_texts, write_split
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    MPNetTokenizer,
    TrainerState,
)

from core import finetune
from core.errors import PrunescopeError
from core.finetune import main, parse
from core.inputs.checkpoint_files import TRAINING_EXAMPLES
from core.inputs.checkpoints import resolve
from core.inputs.glue_files import read_split
from core.inputs.training_overlap import example_digests
from core.inputs.written_examples import read_written
from core.request.catalog import TASKS
from core.training import averaging, fine_tuning, syntax
from core.training.model_card import NOTES, recipe
from core.training.splits import texts
from core.training.stages import check_options
from core.training.vocabulary import kept_ids


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, glue_folder: Path) -> Path:
    """The folder of a whole run: `work` beside `output`."""
    folder = tmp_path_factory.mktemp("finetune")
    arguments = ["--task", "cola", "--data", str(glue_folder), "--base", str(tiny_bert), "--epochs", "0.2"]
    arguments += ["--average-epochs", "0.2", "--output", str(folder / "output"), "--work", str(folder / "work")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(averaging, "AVERAGE_EVERY", 1)
        assert main(arguments) == 0
    return folder


def test_the_stored_checkpoint_predicts_as_the_trained_one(made: Path) -> None:
    words = [make_texts(1, seed=k)[0] for k in range(8)]
    logits = []
    for name in ("work/mixed", "output"):
        tokenizer = AutoTokenizer.from_pretrained(made / name)
        model = AutoModelForSequenceClassification.from_pretrained(made / name, dtype=torch.float32).eval()
        with torch.inference_mode():
            logits.append(model(**tokenizer(words, padding=True, return_tensors="pt")).logits)
    torch.testing.assert_close(*logits, rtol=0, atol=0.05)  # it is stored in float16
    assert AutoModelForSequenceClassification.from_pretrained(made / "output").dtype == torch.float16


def test_half_of_the_average_is_stored(made: Path) -> None:
    first, averaged, mixed = (
        AutoModelForSequenceClassification.from_pretrained(made / "work" / name).classifier.weight
        for name in ("final", "averaged", "mixed")
    )
    assert not torch.equal(first, averaged)
    torch.testing.assert_close(mixed, (first + averaged) / 2)


def test_a_smaller_vocabulary_cuts_words_into_the_same_pieces(made: Path, tiny_bert: Path) -> None:
    full, cut = AutoTokenizer.from_pretrained(tiny_bert), AutoTokenizer.from_pretrained(made / "output")
    for text in make_texts(20, seed=1):
        assert full.tokenize(text) == cut.tokenize(text)


def test_unused_words_go_and_single_characters_stay(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    kept = tokenizer.convert_ids_to_tokens(kept_ids(tokenizer, [("a film",)]))
    assert {"a", "film", "z", "##z", "[CLS]", "[PAD]"} <= set(kept)
    assert "scene" not in kept


def test_the_folder_names_its_training_examples_and_its_scores(made: Path, glue_folder: Path) -> None:
    stored = np.load(made / "output" / TRAINING_EXAMPLES)
    training = texts(read_split(glue_folder, TASKS["cola"], "train"), TASKS["cola"])
    assert np.array_equal(stored, example_digests(training))
    card = (made / "output" / "README.md").read_text()
    assert "A BERT (2 layers, hidden size 32)" in card
    assert "160 examples" in card.replace("\n", " ")
    assert "on the 96 examples of the validation split" in card


def test_the_scores_on_the_card_are_those_of_plain_transformers_and_scikit_learn(made: Path, glue_folder: Path) -> None:
    validation = read_split(glue_folder, TASKS["cola"], "validation")
    tokenizer = AutoTokenizer.from_pretrained(made / "output")
    model = AutoModelForSequenceClassification.from_pretrained(made / "output", dtype=torch.float32).eval()
    words = [text for (text,) in texts(validation, TASKS["cola"])]
    with torch.inference_mode():
        found = model(**tokenizer(words, padding=True, return_tensors="pt")).logits.argmax(-1).tolist()
    gold = validation["label"]
    accuracy, correlation = accuracy_score(gold, found), matthews_corrcoef(gold, found)
    low, high = proportion_confint(round(accuracy * 96), 96, method="wilson")
    card = (made / "output" / "README.md").read_text()
    assert f"| accuracy | {accuracy:.4f} | {low:.3f} to {high:.3f} |" in card
    assert f"| matthews correlation | {correlation:.4f} |" in card


def test_frequent_word_pieces_can_be_kept_as_well(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    first = tokenizer.convert_tokens_to_ids("the")
    plain, more = (set(kept_ids(tokenizer, [("film",)], frequent)) for frequent in (0, 3))
    assert more - plain == {first, first + 1, first + 2} - plain
    assert max(kept_ids(tokenizer, [("film",)], 10**6)) == len(tokenizer) - 1


def test_sentences_written_for_this_project_serve_as_training_data(tmp_path: Path) -> None:
    task = TASKS["messages"]
    base = make_bert(tmp_path / "base", labels=len(task.label_names))
    arguments = ["--task", "messages", "--data", "written", "--base", str(base), "--epochs", "0.05"]
    arguments += ["--average-epochs", "0", "--output", str(tmp_path / "output"), "--work", str(tmp_path / "work")]
    assert main(arguments) == 0
    assert AutoConfig.from_pretrained(tmp_path / "output").id2label == dict(enumerate(task.label_names))
    training = read_written(task, "training").column("sentence")
    assert np.array_equal(np.load(tmp_path / "output" / TRAINING_EXAMPLES), example_digests(zip(training)))
    card = (tmp_path / "output" / "README.md").read_text()
    rows = [line.split("|")[2:-1] for line in card.partition("(columns)")[2].splitlines() if "| " in line][1:]
    assert [sum(map(int, row)) for row in rows] == [16] * 8, "as many examples of each label as were written"
    correct = sum(int(row[label]) for label, row in enumerate(rows))
    assert f"| accuracy | {correct / 128:.4f} |" in card
    assert "on the 128 written evaluation examples" in card
    assert "core.finetune --task messages --data written" in card
    assert "nyu-mll" not in card


@pytest.fixture(scope="module")
def made_by_syntax(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, glue_folder: Path) -> Path:
    """The folder of a run with the syntax stage and without averaging."""
    folder = tmp_path_factory.mktemp("syntax")
    arguments = ["--task", "cola", "--data", str(glue_folder), "--base", str(tiny_bert), "--epochs", "0.2"]
    arguments += ["--syntax-steps", "2", "--average-epochs", "0"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(syntax, "NUM_EXAMPLES", 128)
        assert main([*arguments, "--output", str(folder / "output"), "--work", str(folder / "work")]) == 0
    return folder


def test_without_averaging_the_trained_weights_are_stored(made_by_syntax: Path) -> None:
    assert not (made_by_syntax / "work" / "averaged").exists()
    trained, stored = (
        AutoModelForSequenceClassification.from_pretrained(made_by_syntax / name).classifier.weight
        for name in ("work/final", "output")
    )
    assert torch.equal(trained.half(), stored)


def test_fine_tuning_starts_from_what_the_syntax_stage_left(made_by_syntax: Path, tiny_bert: Path) -> None:
    folders = (tiny_bert, made_by_syntax / "work" / "syntax" / "final", made_by_syntax / "work" / "final")
    base, before, after = (AutoModel.from_pretrained(folder).encoder.layer[0].output.dense.weight for folder in folders)
    assert (after - before).norm() < (after - base).norm()


def test_the_digests_name_the_task_s_training_examples_and_the_card_the_syntax_stage(
    made_by_syntax: Path, made: Path
) -> None:
    digests = [np.load(folder / "output" / TRAINING_EXAMPLES) for folder in (made, made_by_syntax)]
    assert np.array_equal(*digests)
    cards = [(folder / "output" / "README.md").read_text() for folder in (made, made_by_syntax)]
    assert ["--syntax-steps 2" in card for card in cards] == [False, True]
    assert ["stochastic weight averaging" in card for card in cards] == [True, False]


def test_the_command_on_the_card_trains_alike(made_by_syntax: Path, made: Path) -> None:
    folders = ["--data", "x", "--base", "x", "--output", "x", "--work", "x"]
    ran = {made: ["--epochs", "0.2", "--average-epochs", "0.2"]}
    ran[made_by_syntax] = ["--epochs", "0.2", "--average-epochs", "0", "--syntax-steps", "2"]
    for folder, arguments in ran.items():
        card = (folder / "output" / "README.md").read_text()
        (command,) = re.findall(r"`python -m core.finetune (.*?)`", card, flags=re.DOTALL)
        assert parse([*command.split(), *folders]) == parse(["--task", "cola", *arguments, *folders])


def test_the_notes_on_embedded_weights_are_on_no_other_card() -> None:
    folders = ["--task", "cola", "--data", "x", "--base", "x", "--output", "x", "--work", "x"]
    for other in (["--base-id", "owner/bert"], ["--recipe", "minilm-l6-cola"]):
        embedded, another = (recipe(TASKS["cola"], parse([*folders, *more])) for more in ([], other))
        assert embedded.replace(NOTES["cola"], "") != embedded
        assert another.replace(NOTES["cola"], "") == another


def tune(folder: Path, *arguments: str) -> dict[str, torch.Tensor]:
    """Fine-tunes without averaging, and gives the trained weights."""
    folders = ["--output", str(folder / "output"), "--work", str(folder / "work")]
    assert main(["--task", "cola", "--average-epochs", "0", *arguments, *folders]) == 0
    return AutoModelForSequenceClassification.from_pretrained(folder / "work" / "final").state_dict()


def interrupt(callback: object, args: object, state: TrainerState, control: object, **given: object) -> None:
    """Ends a run after the save in the middle of its second epoch."""
    if state.global_step == 4:
        raise KeyboardInterrupt


def test_a_run_that_was_interrupted_ends_with_the_same_weights(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "export", lambda *_: None)  # the trained weights are looked at
    arguments = ["--data", str(glue_folder), "--base", str(tiny_bert), "--epochs", "3", "--early-stop", "9"]
    arguments += ["--accumulate", "2"]  # three steps an epoch
    monkeypatch.setattr(fine_tuning, "SAVE_EVERY", 2)
    rising = count()
    monkeypatch.setitem(finetune.SCORES, "matthews_correlation", lambda gold, found: next(rising))
    whole = tune(tmp_path / "whole", *arguments)
    with monkeypatch.context() as patch:
        patch.setattr(EarlyStoppingCallback, "on_save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            tune(tmp_path / "resumed", *arguments)
    assert not (tmp_path / "resumed" / "work" / "final").exists()
    resumed = tune(tmp_path / "resumed", *arguments)
    assert all(torch.equal(weights, resumed[name]) for name, weights in whole.items())


def test_the_weights_with_the_best_score_on_validation_are_kept(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune, "export", lambda *_: None)  # the trained weights are looked at
    scores = chain([0.1, 0.5, 0.2, 0.5], repeat(0.9))
    arguments = ["--data", str(glue_folder), "--base", str(tiny_bert), "--epochs", "1"]  # five steps
    monkeypatch.setattr(fine_tuning, "SAVE_EVERY", 1)
    monkeypatch.setitem(finetune.SCORES, "matthews_correlation", lambda gold, found: next(scores))
    kept = tune(tmp_path / "stopped", *arguments, "--early-stop", "2")
    assert not (tmp_path / "stopped" / "work" / "checkpoint-5").exists(), "two scores without a better one end it"
    best = load_file(tmp_path / "stopped" / "work" / "checkpoint-2" / "model.safetensors")
    assert all(torch.equal(weights, kept[name]) for name, weights in best.items())


def test_a_seed_draws_the_order_and_the_head(tiny_bert: Path, glue_folder: Path, tmp_path: Path) -> None:
    base = make_headless(tmp_path / "base", tiny_bert)
    options = parse(["--task", "cola", "--data", str(glue_folder), "--base", str(base), "--output", "x", "--work", "x"])
    heads, orders = [], []
    for seed in (0, 1, 0):
        trainer = fine_tuning.make_trainer(TASKS["cola"], options, base, tmp_path / "work", {"seed": seed})
        sampler = trainer._get_train_sampler()
        for epoch in (0, 1):
            sampler.set_epoch(epoch)
            orders.append(list(sampler))
        heads.append(trainer.model.classifier.weight)
    assert torch.equal(heads[0], heads[2])
    assert not torch.equal(heads[0], heads[1])
    assert orders[:2] == orders[4:]
    assert len(set(map(tuple, orders[:4]))) == 4
    assert sorted(orders[0]) == list(range(160))


def make_headless(folder: Path, classifier: Path) -> Path:
    AutoModel.from_pretrained(classifier).save_pretrained(folder)
    AutoTokenizer.from_pretrained(classifier).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("model_type", "names"),
    [
        ("mpnet", {"hidden_dropout_prob", "attention_probs_dropout_prob"}),
        ("distilbert", {"dropout", "attention_dropout", "qa_dropout", "seq_classif_dropout"}),
        ("modernbert", {"attention_dropout", "embedding_dropout", "mlp_dropout", "classifier_dropout"}),
    ],
)
def test_every_dropout_is_set_whatever_it_is_called(model_type: str, names: set[str]) -> None:
    assert fine_tuning.dropouts(AutoConfig.for_model(model_type), 0.3) == dict.fromkeys(names, 0.3)


def test_another_architecture_keeps_its_vocabulary_and_says_how_it_was_made(glue_folder: Path, tmp_path: Path) -> None:
    base = make_encoder(tmp_path / "base", "mpnet")
    vocabulary = ["<pad>", "[UNK]", "<s>", "</s>", "<mask>", *VOCABULARY[5:]]
    MPNetTokenizer(vocab={token: i for i, token in enumerate(vocabulary)}).save_pretrained(base)
    arguments = ["--data", str(glue_folder), "--base", str(base), "--base-id", "owner/tiny", "--epochs", "0.2"]
    tune(tmp_path, *arguments, "--recipe", "tiny-cola", "--seed", "3")
    assert len(AutoTokenizer.from_pretrained(tmp_path / "output")) == len(vocabulary)
    resolved = resolve(str(tmp_path / "output"))
    assert resolved.id == "recipe:tiny-cola-seed-3"
    assert resolved.recipe is not None
    again = parse(resolved.recipe.command.split()[3:])
    arguments += ["--recipe", "tiny-cola", "--seed", "3", "--output", "x", "--work", "x"]
    asked = parse(["--task", "cola", "--average-epochs", "0", *arguments])
    for place in ("data", "base", "output", "work"):
        setattr(again, place, getattr(asked, place))
    assert again == asked
    card = (tmp_path / "output" / "README.md").read_text()
    assert "An encoder (3 layers, hidden size 32)" in card
    assert "word pieces" not in card
    assert "0.387" not in card, "notes on the embedded checkpoint for the same task"


def test_a_training_does_not_go_on_with_another_base_or_other_data(
    tiny_bert: Path, glue_folder: Path, tmp_path: Path
) -> None:
    asked = ["--task", "cola", "--output", str(tmp_path / "output"), "--work", str(tmp_path / "work")]
    base, data = tmp_path / "base", tmp_path / "data"
    shutil.copytree(tiny_bert, base)
    shutil.copytree(glue_folder, data)
    options = parse([*asked, "--base", str(base), "--data", str(data)])
    check_options(options.work, finetune.decided_by(TASKS["cola"], options))
    write_split(data, TASKS["cola"], "train", 160, seed=3)
    with pytest.raises(PrunescopeError, match="the training there began with --data with the content "):
        main([*asked, "--base", str(base), "--data", str(data)])
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    with pytest.raises(PrunescopeError, match="the training there began with --base with the content "):
        main([*asked, "--base", str(base), "--data", str(glue_folder)])
    with pytest.raises(PrunescopeError, match="--base nowhere is not a folder"):
        main([*asked, "--base", str(tmp_path / "nowhere"), "--data", str(glue_folder)])


def test_the_card_says_of_a_folder_given_no_more_than_is_known(glue_folder: Path, tmp_path: Path) -> None:
    base = make_encoder(tmp_path / "base", "bert")
    options = ["--base-id", "owner/tiny", "--epochs", "0.2"]
    tune(tmp_path, "--task", "qnli", "--data", str(glue_folder), "--base", str(base), *options)
    card = (tmp_path / "output" / "README.md").read_text()
    assert "The training split of QNLI in the folder given, in the layout of `nyu-mll/glue`: 160 examples." in card
    assert "development" not in card


def test_a_recipe_that_cannot_be_written_down_is_refused_before_training(tmp_path: Path) -> None:
    folders = ["--data", "x", "--base", "x", "--output", "x", "--work", str(tmp_path / "work")]
    with pytest.raises(PrunescopeError, match="the recipe 'a; b'"):
        main(["--task", "cola", "--recipe", "a; b", *folders])
