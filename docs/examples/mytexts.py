from collections import Counter
from pathlib import Path

import numpy as np

from nncompare.plugin import FIRST_WORD, START, Dataset, DatasetInfo, DatasetPlugin, Ragged


class MyTexts(DatasetPlugin):
    """A file with a class code, 0 or 1, a tab and a text on each line."""

    info = DatasetInfo(name="mytexts", view="tokens", n_train=600, n_test=0, class_names=("bad", "good"))

    def load(self, cache):
        lines = Path(__file__).with_name("reviews.tsv").read_text(encoding="utf-8").splitlines()
        texts = [line.split("\t")[1].lower().split() for line in lines]
        words = [word for word, _ in Counter(word for text in texts for word in text).most_common()]
        ids = {word: FIRST_WORD + rank for rank, word in enumerate(words)}
        X = Ragged.from_rows([[START, *(ids[word] for word in text)] for text in texts])
        return Dataset(X, np.array([int(line.split("\t")[0]) for line in lines]), words=words)
