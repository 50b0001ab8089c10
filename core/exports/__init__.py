"""Everything that can be downloaded: pictures, animations, tables, the player, pruned checkpoints."""
