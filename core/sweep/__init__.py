"""The whole procedure: prune, run, compare and score, amount by amount."""
