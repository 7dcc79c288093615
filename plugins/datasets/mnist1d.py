"""MNIST-1D: ten digits drawn with one stroke each, made to tell families of models apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from nncompare.plugin import Dataset, DatasetInfo, DatasetPlugin

Signal = npt.NDArray[np.float64]

SEED = 42
N_TRAIN, N_PER_CLASS = 4_000, 500
N_CANVAS, N_STEPS = 72, 40
MIN_PADDING, MAX_PADDING = 36, 60
MAX_SHIFT = 48
AMPLITUDE_RANGE, SHEAR_RANGE = 0.4, 0.75
BACKGROUND_NOISE, NOISE = 0.25, 0.02

STROKES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
"""Height of the pen at 12 moments for each digit (Greydanus and Kobak 2024, figure 2)."""


class MNIST1D(DatasetPlugin):
    """4,000 + 1,000 generated sequences of 40 steps.

    Train and test are centred together, as published, so that published accuracies can be compared: one mean
    and one standard deviation of all 5,000 samples enter the training part.
    """

    info = DatasetInfo(
        name="mnist1d",
        view="sequence",
        n_train=N_TRAIN,
        n_test=len(STROKES) * N_PER_CLASS - N_TRAIN,
        class_names=tuple("0123456789"),
        description="Digits as noisy one-dimensional strokes of 40 steps, generated offline",
        licence="Apache-2.0",
        citation=(
            "Greydanus, S. and Kobak, D. (2024). Scaling Down Deep Learning with MNIST-1D. ICML 2024. "
            "https://arxiv.org/abs/2011.14439"
        ),
        homepage="https://github.com/greydanus/mnist1d",
    )

    def load(self, cache: Path) -> Dataset:
        """Return sequences of shape (n, 40, 1), float32; nothing is downloaded."""
        rng = np.random.RandomState(SEED)  # not default_rng: the published data come from this generator
        strokes = _normalised_strokes()
        y = np.repeat(np.arange(len(strokes)), N_PER_CLASS)
        X = np.stack([_draw(strokes[digit], rng) for digit in y])
        order = rng.permutation(len(y))
        X, y = X[order], y[order]
        X = ((X - X.mean()) / X.std()).astype(np.float32)[..., np.newaxis]
        return Dataset(X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:])


def _normalised_strokes() -> Signal:
    """Return strokes of shape (10, 12) with unit variance over 6, each starting at 0."""
    strokes = np.asarray(STROKES, dtype=np.float64)
    strokes -= strokes.mean(axis=1, keepdims=True)
    strokes /= strokes.std(axis=1, keepdims=True)
    return (strokes - strokes[:, :1]) / 6


def _draw(stroke: Signal, rng: np.random.RandomState) -> Signal:
    """Return one sample of 40 steps: padded, scaled, shifted, with noise, sheared."""
    padding = MIN_PADDING + int(rng.rand() * (MAX_PADDING - MIN_PADDING + 1))
    # The offset tells the stroke's own zeros from the padding, which alone gets background noise.
    signal = _resample(np.pad(stroke + 1e-8, (0, padding)), N_CANVAS)
    signal *= 1 + AMPLITUDE_RANGE * (rng.rand() - 0.5)
    signal = np.roll(signal, rng.randint(MAX_SHIFT))
    background = gaussian_filter(BACKGROUND_NOISE * rng.randn(N_CANVAS), sigma=2)
    signal = np.where(signal != 0, signal, background) + NOISE * rng.randn(N_CANVAS)
    signal -= SHEAR_RANGE * (rng.rand() - 0.5) * np.linspace(-0.5, 0.5, N_CANVAS)
    return _resample(signal, N_STEPS)


def _resample(signal: Signal, n: int) -> Signal:
    """Return ``n`` equidistant points of a signal, linearly interpolated."""
    return np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(signal)), signal)
