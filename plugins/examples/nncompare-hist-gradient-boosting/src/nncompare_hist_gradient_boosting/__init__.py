"""The model ``hist-gradient-boosting`` for nncompare; see :mod:`nncompare_hist_gradient_boosting.model`."""
