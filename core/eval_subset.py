"""tmp"""

from datasets import Dataset


def read_split(folder, task, split):
    return Dataset.from_parquet(str(folder / task.name / f"{split}-00000-of-00001.parquet"))
