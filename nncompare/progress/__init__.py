"""Shows a run while it goes on: a table in a notebook or on a terminal, lines in a pipe, nothing when quiet."""
