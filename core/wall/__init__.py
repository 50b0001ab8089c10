"""The wall between the server and strangers' bytes: limits for processes that read them, and turns."""
