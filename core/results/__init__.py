"""The file that a sweep leaves: its schema, its place, its name."""
