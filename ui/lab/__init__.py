"""The settings of the Lab, in the order in which one decides them, and what stands around them."""
