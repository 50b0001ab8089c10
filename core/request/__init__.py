"""Requests: tables of what can be requested, limits, and the request itself."""
