"""A fair comparison of neural network families: which one to use, and how sure that is."""
