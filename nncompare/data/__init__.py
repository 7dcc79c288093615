"""Data sets: records, fingerprints, splits, views and the cache."""
