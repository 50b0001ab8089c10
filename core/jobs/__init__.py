"""One queue for the server process in front of the worker."""
