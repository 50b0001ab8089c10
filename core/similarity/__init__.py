"""How similar representations are: CKA, and torch-cka as a second opinion."""
