"""How alike two representations are: one measure a file, and the published tool as a second opinion."""
