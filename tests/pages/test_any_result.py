"""Results of every kind on every page: other labels, weights that are not shipped, against another checkpoint."""

from pathlib import Path

import pytest

from core.results.library import entry_of
from core.results.store import load, save
from tests.builders import against, made_by_recipe, make_result, ship, with_own_key, with_own_labels
from tests.core.findings.made import TWINS
from tests.opened import labels, open_page, told
from ui.header import PAGES

AMOUNTS = (0.0, 0.3, 0.6)
BARE = make_result(num_layers=3, amounts=AMOUNTS)
RESULTS = {
    "own labels": with_own_labels(make_result(num_examples=66), ("Anger", "fear", "joy", "love", "very_*surprised*")),
    "a recipe": with_own_key(BARE, checkpoint=made_by_recipe(BARE.checkpoint, "mpnet-l12-sst2", 0)),
    "against a deeper one": against(BARE, 5, name="deeper"),
    "against one as deep": against(BARE, 3, name="twin"),
    "unpruned, against one as deep": against(make_result(num_layers=3, amounts=(0.0,)), 3, name="twin"),
}


@pytest.mark.usefixtures("queue", "unfolded")
@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("Cut", "All results", "Methods")])
@pytest.mark.parametrize("kind", RESULTS)
def test_every_page_shows_it(kind: str, page: str, shipped: Path) -> None:
    result = RESULTS[kind]
    ship(shipped, BARE, make_result(task="cola"))
    path = save(result)
    assert load(path) == result
    app = open_page(PAGES[page], result=result.key, reduction="tokens")
    assert not app.error
    words, codes = told(app) + " ".join(title.value for title in app.title), [code.value for code in app.code]
    if kind == "a recipe":
        elsewhere = str([app.get(part) for part in ("text_input", "popover", "expander")])
        assert "MPNet-L12, fine-tuned on SST-2, seed 0" in words + elsewhere
        assert "Make them first" in words
        made = "python -m recipes mpnet-l12-sst2 --seed 0 --base ./BASE_FOLDER --data ./DATA_FOLDER\n"
        scripts = [code for code in codes if "recipe:mpnet-l12-sst2-seed-0" in code]
        assert scripts
        assert all(script.startswith(made) for script in scripts)
        assert not {"Check this frame", "Recompute and replace this result", "Run random control"} & labels(app)
    elif kind == "own labels" and page == "Lab":
        assert entry_of(result).name.startswith("66 examples, moods.csv · moods")
        assert "Read from moods.csv, rows 1 to 132: the text from “review”, the label from “mood” (text" in words
        assert any("--data ./moods.csv --text review --label mood --label-map meh=" in code for code in codes)
    elif "against" in kind and page in ("Story", "Layers"):
        assert "is most similar to" in words
        assert "stays intact" not in words


@pytest.mark.usefixtures("queue", "unfolded")
def test_two_results_whose_rows_differ_and_twins_are_shown_beside_each_other(shipped: Path) -> None:
    ship(shipped, RESULTS["against one as deep"], BARE)
    shown = {"result": RESULTS["against one as deep"].key, "other": BARE.key, "axis": "damage"}
    words = told(open_page("pages/compare.py", **shown))
    assert "are shown at equal amounts" in words
    assert "no picture of their difference" in words
    for made in TWINS:
        save(made)
    assert "Other seeds (3 checkpoints)" in told(open_page(PAGES["Layers"], result=BARE.key))
