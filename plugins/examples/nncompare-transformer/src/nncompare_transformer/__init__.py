"""The model ``transformer`` for nncompare; see :mod:`nncompare_transformer.model`."""
