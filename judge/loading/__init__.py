"""A judge's files: where they lie, the tokenizer, the model, who the judge is."""
