"""Make the checkpoints that the results are about: the bundled ones and those that are not shipped.

Read `table` first. `__main__` trains the checkpoint of a row (`syntax`, `training`) and saves it
(`export`).
"""
