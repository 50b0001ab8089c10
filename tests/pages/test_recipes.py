"""Weights that are not shipped: every page names the checkpoint and says how to make it and its result again."""

from pathlib import Path

import pytest

from tests.builders import made_by_recipe, make_result, ship, with_own_key
from tests.opened import open_page, told

PAGES = ("app", "pages/lab", "pages/layers", "pages/compare", "pages/sentences", "pages/present")


@pytest.mark.usefixtures("queue", "unfolded")
@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_which_checkpoint_it_shows_and_how_to_make_it(page: str, shipped: Path) -> None:
    bare = make_result(num_layers=3, amounts=(0.0, 0.3, 0.6))
    shown = with_own_key(bare, checkpoint=made_by_recipe(bare.checkpoint, "mpnet-l12-sst2", 0))
    ship(shipped, shown, bare)
    app = open_page(f"{page}.py", result=shown.key)
    elsewhere = str([app.get(kind) for kind in ("text_input", "popover", "expander")])
    assert "MPNet-L12, fine-tuned on SST-2, seed 0" in told(app) + elsewhere
    assert "Make them first" in told(app)
    assert "The unpruned weights are not shipped: make them first" in told(app)
    scripts = [code.value.splitlines() for code in app.code if "recipe:mpnet-l12-sst2-seed-0" in code.value]
    assert scripts
    for first, then in scripts:  # as they are pasted
        assert first == "python -m recipes mpnet-l12-sst2 --seed 0 --base ./BASE_FOLDER --data ./DATA_FOLDER"
        assert then.startswith("python -m core.precompute --checkpoint recipe:mpnet-l12-sst2-seed-0 ")
    assert "docs/recipes.md says which folders the command needs" in told(app)
