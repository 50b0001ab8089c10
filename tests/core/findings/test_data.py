"""What is said of data before they are downloaded."""

from core.findings.data import download_note

MIB = 2**20


def test_one_file_is_named_with_its_size() -> None:
    assert download_note("test", [3 * MIB // 2], 10_000) == "Of split test, one file has yet to be downloaded: 1.5 MiB."


def test_of_several_files_the_first_is_certain() -> None:
    words = download_note("validation", [12 * MIB, 24 * MIB], 10_000)
    assert words.startswith("Of split validation, 2 files have yet to be downloaded: 36.0 MiB.")
    assert words.endswith("The first is 12.0 MiB; the others follow only until 10,000 rows are there.")
