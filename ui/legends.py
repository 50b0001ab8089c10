"""What marks mean that the Overview and Layers share, and what any similarity is held against."""

BEYOND = (
    "is everything beyond the working range: past the first amount that costs the model more than a tenth of its lead "
    "over always answering the majority class."
)
TWINS = "is how similar the layer is in two fine-tunes that differ only in the seed."
EXPECTED = "Some similarity is expected of any two models that read the same sentences"
