"""How similar representations are: CKA, CKA given the emptied model, the published tool; and how far outputs move."""
