"""The wall between the server and strangers' bytes.

Limits for processes that read them, and turns.
"""
