"""Train what is left of a model.

One loop, and the study of a checkpoint without its upper layers.
"""
