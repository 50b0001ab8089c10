"""What can be asked for: tables, limits, and the request itself."""
