"""Train what is left of a model: one loop, and the study of a checkpoint without its upper layers."""
