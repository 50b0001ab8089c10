"""What a user can ask for: tables, limits, and the request itself."""
