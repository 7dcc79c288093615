from pathlib import Path

import numpy as np

from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin


class MyData(DatasetPlugin):
    """A CSV file with a header: numbers in all columns, the class code 0, 1 or 2 in the last."""

    info = DatasetInfo(name="mydata", view="tabular", n_train=600, n_test=0, class_names=("low", "mid", "high"))

    def load(self, cache):
        table = np.loadtxt(Path(__file__).with_name("measurements.csv"), delimiter=",", skiprows=1)
        return Dataset(table[:, :-1].astype(np.float32), table[:, -1].astype(np.int64))
