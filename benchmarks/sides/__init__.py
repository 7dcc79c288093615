"""What the two sides of ``textbook.py`` and the four tools of ``peers.py`` do, each in a process of its own."""
