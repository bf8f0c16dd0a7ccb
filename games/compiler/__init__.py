"""From a source to a program that is checked whole and runs: one file for each instruction, one for calls."""
