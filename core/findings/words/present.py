"""Words about the stage of the Present page."""

HINT = "← → step · ↑ ↓ other result · space play · S speaker's sentence · F full screen"
