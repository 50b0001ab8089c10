"""Make the checkpoints that results are about: those that the app carries, and those that are not shipped.

Read `table` first. `__main__` trains what a row of it says (`syntax`, `training`) and stores it (`export`).
"""
