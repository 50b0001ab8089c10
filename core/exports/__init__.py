"""What can be taken away: pictures, films, tables, the player, pruned checkpoints."""
