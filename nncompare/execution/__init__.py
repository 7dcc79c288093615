"""Child processes: the fork server, what a child runs, and the local runner."""
