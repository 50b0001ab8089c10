"""One forward pass: a loaded checkpoint, batches, logits and representations."""
