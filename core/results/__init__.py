"""Result files: their schema, their places, their names."""
