"""What an encoder learns before it is fine-tuned: to find the words at fault in corrupted sentences."""
