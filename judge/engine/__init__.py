"""How a loaded model is asked for bits, fast and always the same: on lanes of a CPU, in buckets on CUDA."""
