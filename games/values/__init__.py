"""What programs work on: texts, bits, and the types of expressions."""
