"""The three trainings as textbooks have them, on data that lie in memory before the clock starts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from .clock import Clock

N_WORDS, N_STEPS = 10_000, 500
UNKNOWN = 2


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Fit once and return accuracy on test and the seconds of fit, compilation included."""
    return {"mlp": _mlp, "cnn": _cnn, "lstm": _lstm}[job["training"]](job)


def _mlp(job: dict[str, Any]) -> dict[str, Any]:
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    threadpool_limits(job["threads"])
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    clock = Clock()
    model = MLPClassifier(hidden_layer_sizes=(64, 32), activation="relu", max_iter=300, random_state=job["seed"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X_train, y_train)
    wall, cpu = clock.read()
    return {"accuracy": model.score(X_test, y_test), "wall_s": wall, "cpu_s": cpu, "epochs": model.n_iter_}


def _cnn(job: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    keras, stored = _keras(job["threads"]), _stored(job)
    X_train, X_test = (np.asarray(X, np.float32) / 255 for X in (stored.X_train(), stored.X_test()))
    y_train, y_test = np.array(stored.y_train()), np.array(stored.y_test())
    clock = Clock()
    keras.utils.set_random_seed(job["seed"])
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(X_train, y_train, epochs=5, batch_size=32, verbose=0)
    wall, cpu = clock.read()
    predicted = model.predict(X_test, verbose=0).argmax(1)
    return {"accuracy": float((predicted == y_test).mean()), "wall_s": wall, "cpu_s": cpu, "epochs": 5}


def _lstm(job: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    keras, stored = _keras(job["threads"]), _stored(job)
    X_train, X_test = (_in_front(keras, texts) for texts in (stored.X_train(), stored.X_test()))
    y_train, y_test = np.array(stored.y_train()), np.array(stored.y_test())
    clock = Clock()
    keras.utils.set_random_seed(job["seed"])
    model = keras.Sequential(
        [
            keras.Input((N_STEPS,)),
            keras.layers.Embedding(N_WORDS, 128),
            keras.layers.LSTM(128),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(X_train, y_train, epochs=3, batch_size=64, verbose=0)
    wall, cpu = clock.read()
    predicted = model.predict(X_test, batch_size=256, verbose=0)[:, 0] > 0.5
    return {"accuracy": float((predicted == y_test).mean()), "wall_s": wall, "cpu_s": cpu, "epochs": 3}


def _in_front(keras: Any, texts: Any) -> Any:
    """Return the last 500 tokens of each text, padded in front; words beyond the first 10,000 are unknown."""
    import numpy as np

    padded = keras.utils.pad_sequences([texts[row] for row in range(len(texts))], maxlen=N_STEPS)
    return np.where(padded < N_WORDS, padded, UNKNOWN)


def _keras(threads: int) -> Any:
    """Return Keras with TensorFlow held to a number of threads, in both of its pools as by default."""
    import keras
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    return keras


def _stored(job: dict[str, Any]) -> Any:
    from nncompare.data.store import open_dataset

    return open_dataset(Path(job["data"]))
