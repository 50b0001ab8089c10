"""The criteria by which a study of cuts chooses the layers that go, and their titles on screen; no torch."""

MEASURED, READ = "measured", "read"  # those that run subsets
CRITERIA = {
    MEASURED: "Measured",
    "cosine": "Cosine of input and output",
    "cka": "CKA of input and output",
    READ: "CKA of what the classifier reads",
    "top": "From the top",
    "alternate": "Every second",
}
