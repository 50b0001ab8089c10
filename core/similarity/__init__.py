"""How alike two representations are: one measure per file, and the published tool as a second opinion."""
