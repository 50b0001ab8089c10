"""Turn names into files and sentences: the Hub, folders, tables, samples. No torch."""
