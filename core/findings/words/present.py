"""Words about the stage of the Present page."""

HINT = "← → step · ↑ ↓ other result · space play · S speaker's sentence · F full screen"
EXPLANATION = "The address holds everything, so a bookmark opens the same picture in the lecture hall."
