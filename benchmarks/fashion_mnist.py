"""Compare mlp and cnn on the whole of Fashion-MNIST: from its published files to the verdict and to predictions.

Run ``python benchmarks/fashion_mnist.py [--folder DIR] [--form images] [OPTION ...]``. The four published files,
which Debian's package ``dataset-fashion-mnist`` installs, become .npy files in DIR, or image files in folders of
classes, both in the published parts: 60,000 images for training and 10,000 for the test. Then

    nncompare run -m mlp -m cnn -d DIR/fashion-mnist_X_train.npy
    nncompare predict RUN -m cnn --input DIR/fashion-mnist_X_test.npy

are carried out as a user would, with the default preset; OPTIONs such as ``--epochs 10`` are handed on. What is
printed is read from what these commands leave. The exit code is 1 where an accuracy is below its target, cnn does
not win, or the predictions of the test part are not as right as the run says of that refit.

The targets are what the authors' tables have for such networks: 0.871 for scikit-learn's MLPClassifier
(https://arxiv.org/abs/1708.07747), 0.916 for two convolutions with pooling
(https://github.com/zalandoresearch/fashion-mnist#benchmark), rounded down.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

SOURCE = Path("/usr/share/datasets/fashion-mnist")
NAME = "fashion-mnist"
PARTS = {"train": "train", "test": "t10k"}
# "T-shirt/top" is no name of a folder.
CLASSES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
SIDE = 28
TARGETS = {"mlp": 0.87, "cnn": 0.91}
SLACK = 1.5  # images: other batches may move a last digit, and so an image between two classes
NNCOMPARE = (sys.executable, "-c", "from nncompare.cli import main; main()")

Part = tuple[npt.NDArray[np.uint8], npt.NDArray[np.str_]]


def read_part(part: str, source: Path = SOURCE, per_class: int | None = None) -> Part:
    """Return images of shape (n, 28, 28) and the name of the class of each, in the published order.

    Parameters
    ----------
    part : {"train", "test"}
    source : Path
        The folder of the published files, in the format of MNIST's.
    per_class : int, optional
        Only the first so many of each class.
    """
    stem = PARTS[part]
    images = _read(source / f"{stem}-images-idx3-ubyte.gz", offset=16).reshape(-1, SIDE, SIDE)
    codes = _read(source / f"{stem}-labels-idx1-ubyte.gz", offset=8)
    if per_class is not None:
        chosen = np.sort(np.concatenate([np.flatnonzero(codes == k)[:per_class] for k in range(len(CLASSES))]))
        images, codes = images[chosen], codes[chosen]
    return images, np.array(CLASSES)[codes]


def write_arrays(folder: Path, parts: dict[str, Part]) -> tuple[Path, Path]:
    """Write each part as two .npy files; return what is given as ``-d``, and the test part."""
    for part, (images, names) in parts.items():
        np.save(folder / f"{NAME}_X_{part}.npy", images)
        np.save(folder / f"{NAME}_y_{part}.npy", names)
    return folder / f"{NAME}_X_train.npy", folder / f"{NAME}_X_test.npy"


def write_images(folder: Path, parts: dict[str, Part]) -> tuple[Path, Path]:
    """Write each image, as ``train/Bag/00012.png``; return what is given as ``-d``, and the test part."""
    for part, (images, names) in parts.items():
        for name in CLASSES:
            (folder / NAME / part / name).mkdir(parents=True, exist_ok=True)
        for number, (image, name) in enumerate(zip(images, names, strict=True)):
            Image.fromarray(image).save(folder / NAME / part / name / f"{number:05}.png")
    return folder / NAME, folder / NAME / "test"


FORMS = {"arrays": write_arrays, "images": write_images}


def main() -> int:
    """Write the data, run, predict, print; return 1 where a target is missed."""
    arguments, options = _arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    parts = {part: read_part(part, arguments.source, arguments.per_class) for part in PARTS}
    data, test = FORMS[arguments.form](arguments.folder, parts)
    models = [word for model in TARGETS for word in ("-m", model)]
    out = ("--out", str(arguments.folder / "reports"))
    done = _nncompare("run", *models, "-d", str(data), *out, "--json", *options)
    results = json.loads(Path(done["results"]).read_text(encoding="utf-8"))
    predictions = str(arguments.folder / "predictions.csv")
    told = _nncompare(
        "predict", done["folder"], "-m", "cnn", "--input", str(test), "--output", predictions, "--json"
    )
    return int(not _print(results, told))


def _print(results: dict[str, Any], told: dict[str, Any]) -> bool:
    """Print what was found, and return whether it is what was expected."""
    (dataset,) = results["datasets"]
    print(f"{dataset['description']}\n{dataset['verdict']['text']}\nrun {results['run_id']}\n")
    print("model  accuracy  interval          target  epochs of the refits")
    met = (dataset["verdict"]["state"], dataset["verdict"]["winner"]) == ("better", "cnn")
    for study in results["studies"]:
        accuracy, target = study["test"]["accuracy"], TARGETS[study["model"]]
        epochs = ", ".join(str(refit["epochs"]) for refit in study["refits"])
        interval = f"{accuracy['low']:.4f} to {accuracy['high']:.4f}"
        print(f"{study['model']:7}{accuracy['mean']:8.4f}  {interval}  {target:6.2f}  {epochs}")
        met &= accuracy["mean"] >= target
    cnn = next(study for study in results["studies"] if study["model"] == "cnn")
    reported = cnn["refits"][told["refit"] - 1]["test_accuracy"]
    print(f"\npredict: {told['accuracy']:.4f} on {told['n_known']:,} images; reported: {reported:.4f}")
    return met and abs(told["accuracy"] - reported) * told["n_known"] <= SLACK


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--folder", type=Path, default=Path("reports") / NAME, help="of the data and the run")
    parser.add_argument("--form", choices=list(FORMS), default="arrays", help="how the data are written")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the folder of the four published files")
    parser.add_argument("--per-class", type=int, help="write so many images of each class only")
    return parser.parse_known_args()


def _nncompare(*arguments: str) -> dict[str, Any]:
    """Run the command with its progress in sight, and return what it prints as JSON; its error ends the script."""
    done = subprocess.run([*NNCOMPARE, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"nncompare {arguments[0]} ended with exit code {done.returncode}.")
    return json.loads(done.stdout)


def _read(file: Path, offset: int) -> npt.NDArray[np.uint8]:
    """Return the bytes of a file of MNIST's format that follow its header."""
    if not file.is_file():
        sys.exit(f"There is no '{file}'. Install Debian's package dataset-fashion-mnist, or give --source.")
    with gzip.open(file) as stream:
        return np.frombuffer(stream.read(), np.uint8, offset=offset)


if __name__ == "__main__":
    sys.exit(main())
