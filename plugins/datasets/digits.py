"""The handwritten digits that scikit-learn brings along."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin


class Digits(DatasetPlugin):
    """1,797 images of 8 x 8 pixels in 17 grey levels.

    The test part is the textbook's: 20 %, ``random_state=42``, not stratified.
    """

    info = DatasetInfo(
        name="digits",
        view="image",
        n_train=1437,
        n_test=360,
        class_names=tuple("0123456789"),
        scale=1 / 16,
        description="Handwritten digits, 8 x 8 pixels, embedded in scikit-learn",
        licence="CC BY 4.0",
        citation=(
            "Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten Digits. "
            "UCI Machine Learning Repository. https://doi.org/10.24432/C50P49"
        ),
        homepage="https://archive.ics.uci.edu/dataset/80",
    )

    def load(self, cache: Path) -> Dataset:
        """Return images of shape (n, 8, 8, 1), uint8 from 0 to 16; nothing is downloaded."""
        digits = load_digits()
        X = digits.images.astype(np.uint8)[..., np.newaxis]
        X_train, X_test, y_train, y_test = train_test_split(X, digits.target, test_size=0.2, random_state=42)
        return Dataset(X_train, y_train, X_test, y_test)
