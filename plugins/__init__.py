"""The models and data sets that come with nncompare, written only against what a third party has too."""
