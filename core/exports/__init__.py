"""Everything that can be downloaded.

Pictures, animations, tables, the player, pruned checkpoints.
"""
