"""How similar representations are: CKA, partial CKA given the emptied model, and torch-cka as a second opinion."""
