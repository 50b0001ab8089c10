"""The names of the pages, the navigation between them, and the labels of what can be chosen on them."""

ADDRESSES = {  # of each page, in the order of the navigation; the main page has none
    "Story": "",
    "Lab": "lab",
    "Layers": "layers",
    "Sentences": "sentences",
    "Compare": "compare",
    "Cut": "cut",
    "Present": "present",
    "All results": "grid",
    "Methods": "methods",
}
ONE_RESULT = "One result"  # on the first line of the navigation: what its views, on the second line, have in common
VIEWS = ("Present", "Layers", "Sentences", "Compare", "Cut")  # Present first: few tabs lead to it
FIRST_LINE = {"Story": "Story", "Lab": "Lab", ONE_RESULT: "Layers", "All results": "All results", "Methods": "Methods"}
LABELS = {  # over choices, by their parameter of the address, where that is not the word
    "other": "Second",
    "alone": "Layers pruned alone",
    "reduction": "Sentence vector",
    "layer": "Selected layer",
    "axis": "Compare at",
    "most": "At most",
}
FORMER = {"threshold": "0.9", "measure": "cka", "by": "score"}  # choices that older links make, and what each shows now


def label_of(parameter: str) -> str:
    """Return what stands over the choice that a parameter of the address holds."""
    return LABELS.get(parameter, parameter.capitalize())
