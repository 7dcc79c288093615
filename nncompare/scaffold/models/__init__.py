"""The models that a new plugin starts from, one for each framework.

They are modules that work as they stand, so that the checks of this repository see them. A new package receives a
copy in which ``MyModel`` is the name that its author chose.
"""
