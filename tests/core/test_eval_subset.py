from core.catalog import TASKS
from core.eval_subset import load_subset


def test_a_warm_run_gives_the_same_subset(glue_folder):
    first = load_subset(TASKS["mrpc"], str(glue_folder), 50)
    assert load_subset(TASKS["mrpc"], str(glue_folder), 50) == first
