"""The measure: how many bits of surprise a text costs a language model. The only room that may import torch."""
