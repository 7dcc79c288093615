"""Writes the package of a new plugin: names, rendered files, one folder that is there whole or not at all."""
