"""The parts of `core.finetune`: syntax stage, fine-tuning, averaging, vocabulary, recipe and model card."""
