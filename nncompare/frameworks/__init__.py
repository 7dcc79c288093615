"""Public base classes that make a new family of models 20 to 60 lines."""
