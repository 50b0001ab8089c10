"""Words about the stage of the Present page."""

HINT = "← → step · ↑ ↓ other result · space play · F full screen"
