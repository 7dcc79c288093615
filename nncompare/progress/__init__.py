"""Shows a run while it goes on: a live table on a terminal, plain lines in a pipe, nothing when quiet."""
