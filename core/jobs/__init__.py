"""The server process's queue in front of the worker."""
