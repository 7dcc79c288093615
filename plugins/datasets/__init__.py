"""The data sets that come with nncompare."""
