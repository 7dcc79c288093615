"""Files and names that cannot be data, one for each row of docs/reference/bad-inputs.toml."""

import codecs
import tomllib

import numpy as np
import pandas as pd
from PIL import Image

from .documents import DOCS

INPUTS = {
    row["name"]: row
    for row in tomllib.loads((DOCS / "reference" / "bad-inputs.toml").read_text(encoding="utf-8"))["input"]
}
GOOD = "a,b,class\n" + "".join(f"{i * 0.5},{'xyz'[i % 3]},{'no' if i % 2 else 'yes'}\n" for i in range(12))
X = np.random.default_rng(0).random((12, 3))
Y = np.arange(12) % 2


def table(first, n=9):
    """Return a table of two columns, of which ``first`` gives the first."""
    return "a,class\n" + "".join(f"{first(i)},{'xy'[i % 2]}\n" for i in range(n))


BAD_TABLES = {
    "empty": b"",
    "blank": b"\n\n",
    "header only": b"a,class\n",
    "one class": "a,class\n0.5,x\n1.5,x\n0.7,x\n",
    "class with one sample": GOOD + "1.5,x,maybe\n",
    "fewer rows than classes": "a,class\n1.5,x\n2.5,y\n3,z\n",
    "target of floats": "a,class\n1,1\n2,2.25\n3,1\n",
    "rows without a class": GOOD + "1,x,\n2,y,?\n",
    "all-NaN column": table(lambda _: ""),
    "text in a numeric column": table(lambda i: "abc" if i == 4 else i / 2),
    "infinite": GOOD + "inf,x,no\n",
    "decimal comma": "a,class\n" + "".join(f'"{i},5",{"xy"[i % 2]}\n' for i in range(6)),
    "short row": GOOD + "1,2\n",
    "long row": GOOD + "1,x,no,no\n",
    "ragged below a field of two lines": 'a,b,class\n1,"x\ny",no\n1\n',
    "wrong encoding": GOOD.replace("x", "é").encode("latin-1"),
    "wrong encoding behind a BOM": codecs.BOM_UTF8 + b"a,class\n1,\xe9\n",
    "wrong encoding far below": b"a,class\n" + b"1,x\n" * 500_000 + b"\xff,y\n",
    "UTF-16": GOOD.encode("utf-16-le").join([codecs.BOM_UTF16_LE, b""]),
    "10 MB line": GOOD + "1," + "x" * 10_000_000 + ",no\n",
    "duplicate column names": GOOD.replace("a,b", "a,a"),
    "empty column name": GOOD.replace("a,b", "a,"),
    "NUL character": GOOD + "1,\0,no\n",
    "open quotation mark": GOOD + '1,"x,no\n2,y,no\n',
    "no header": "1.5,2,0\n2.5,3,1\n1,4,0\n",
    "one column": "class\nx\ny\n",
    "time that is a word": "a,b,class\n"
    + "".join(f"{i / 2},{'today' if i == 4 else '2024-05-01'},{'xy'[i % 2]}\n" for i in range(12)),
    "number of 5,000 digits": table(lambda i: "9" * 5000 if i == 4 else i / 2),
    "too few groups": "a,who,class\n"
    + "".join(f"{i / 2},{i % 2 * i},{'no' if i % 2 == 0 else 'yes'}\n" for i in range(12)),
    "nothing to learn from": table(lambda i: f"person {i}", 120),
    "dates alone": table(lambda i: f"2024-05-{i + 1:02}"),
    "texts, and --text is not given": table(lambda i: f"a text of five words {i}", 120),
}
SERIES = "id,t,a,class\n" + "".join(
    f"s{i},{t},{(7 * i + 3 * t) % 10 / 2},{'no' if i % 2 else 'yes'}\n" for i in range(12) for t in range(4)
)
BAD_SERIES = {
    "series: a class that varies": SERIES + "s0,4,1,no\n",
    "series: two rows of one time": SERIES + "s0,3,1,yes\n",
    "series: one step": SERIES + "late,0,1,yes\n",
    "series: a step without a value": SERIES + "s0,4,,yes\n",
    "series: a time that is none": SERIES + "s0,soon,1,yes\n",
    "series: a row of no series": SERIES + ",0,1,yes\n",
    "series: text": SERIES + "s0,4,high,yes\n",
    "series: too few of a class": SERIES + "".join(f"m{i},{t},1,maybe\n" for i in range(2) for t in range(2)),
    "series: nothing to learn from": "id,t,class\n"
    + "".join(f"s{i // 2},{i},{'xy'[i // 2 % 2]}\n" for i in range(24)),
}
BAD_TEXTS = {
    "text column of dates": table(lambda i: f"{i + 1}.5.2024"),
    "text column without words": table(lambda i: "?!" if i % 2 else ""),
    "texts that share no word": table(lambda i: f"word{i} another{i}"),
}
BAD_PARQUET = {
    "Parquet: damaged": None,
    "Parquet: classes that are dates": {"a": X[:, 0], "class": np.datetime64("2024-05-01", "s") + Y},
    "Parquet: an encoding": {"a": X[:, 0], "class": Y},
    "Parquet: two columns of one name": None,
    "Parquet: a folder of parts": None,
}
BAD_ARCHIVES = {
    "archive: objects": {"X": X.astype(object), "y": Y},
    "archive: lengths that disagree": {"X": X, "y": Y[:5]},
    "archive: shapes that disagree": {"X": X, "y": Y, "X_test": X[:, :2], "y_test": Y},
    "archive: half a test part": {"X": X, "y": Y, "X_test": X},
    "archive: no labels": {"X": X},
    "archive: other names": {"data": X},
    "archive: one-hot labels": {"X": X, "y": np.eye(2)[Y]},
    "archive: regression": {"X": X, "y": Y + 0.5},
    "archive: one class": {"X": X, "y": Y * 0},
    "archive: class with one sample": {"X": X, "y": np.append(Y[:-1], 2)},
    "archive: class of the test part alone": {"X": X, "y": Y, "X_test": X, "y_test": Y + 1},
    "archive: infinite": {"X": np.where(X.max() == X, np.inf, X), "y": Y},
    "archive: column of NaN": {"X": X * [1, np.nan, 1], "y": Y},
    "archive: sequences with gaps": {"X": np.full((12, 4, 2), np.nan), "y": Y},
    "archive: wrong rank": {"X": X[:, 0], "y": Y},
    "archive: a class without a name": {"X": X, "y": Y, "class_names": np.array(["no", ""])},
    "archive: one role twice": {"X": X, "y": Y, "x_train": X, "y_train": 1 - Y},
    "archive: class names too few": {"X": X, "y": np.arange(12) % 3, "class_names": np.array(["no", "yes"])},
}
ROSES, TULIPS = ([f"{name}/{i}.png" for i in range(3)] for name in ("rose", "tulip"))
BAD_FOLDERS = {
    "images: none": ["rose/notes.txt", "tulip/.png"],
    "images: no folders of classes": ["1.png", "2.png", "notes.txt"],
    "images: one class": ROSES,
    "images: one folder too high": [f"flowers/{file}" for file in (*ROSES, *TULIPS)],
    "images: class with one image": [*ROSES, "tulip/0.png"],
    "images: class without images": [*ROSES, *TULIPS, "daisy/Thumbs.db"],
    "images: damaged": [*ROSES, *TULIPS, "tulip/damaged.png"],
    "images: not what the name says": [*ROSES, *TULIPS, "tulip/text.jpg"],
    "images: two depths": [*ROSES, *TULIPS, "tulip/deep.png"],
    "images: beside the classes": [*ROSES, *TULIPS, "cover.png"],
    "images: parts of other classes": [f"train/{file}" for file in (*ROSES, *TULIPS)] + ["test/daisy/0.png"],
    "images: parts without train": [f"{part}/{file}" for part in ("test", "val") for file in (*ROSES, *TULIPS)],
    "images: classes beside the parts": [
        *ROSES,
        *(f"{part}/{file}" for part in ("train", "test") for file in ROSES),
    ],
    "images: part beside its classes": [*ROSES, *TULIPS, *(f"test/{file}" for file in ROSES)],
    "images: test part without classes": [*(f"train/{file}" for file in (*ROSES, *TULIPS)), "test/0.png"],
}
BAD_NPY = {
    "array file: objects": {"X": X.astype(object), "y": Y},
    "array file: cut short": {"X": X, "y": Y},
    "array file: none": {"X": X, "y": Y},
    "array file: damaged header": {"X": X, "y": Y},
    "array file: negative shape": {"X": X, "y": Y},
    "array file: empty": {"X": X[:0], "y": Y[:0]},
    "array file: no labels": {"X": X},
    "array file: lengths that disagree": {"X": X, "y": Y[:5]},
    "array file: half a test part": {"X": X, "y": Y, "X_test": X},
    "array file: infinite": {"X": np.where(X.max() == X, np.inf, X), "y": Y},
    "array file: too large a number": {"X": np.where(X.max() == X, 1e300, X), "y": Y},
    "array file: name without X": {"samples": X},
}
OPTIONS = {
    "no target named": (),
    "target that is not there": ("--target", "clas"),
    "group that is not there": ("--target", "class", "--group", "c"),
    "too few groups": ("--target", "class", "--group", "who"),
    "time that is none": ("--target", "class", "--time", "b"),
    **dict.fromkeys(BAD_SERIES, ("--target", "class", "--group", "id", "--time", "t")),
    "series: group and time are one": ("--target", "class", "--group", "a", "--time", "a"),
    "series and texts": ("--target", "class", "--group", "a", "--time", "b", "--text", "b"),
    "series as a table": ("--target", "class", "--group", "a", "--time", "b", "--view", "tabular"),
    "encoding that is not there": ("--target", "class", "--encoding", "latin-x"),
    "encoding of host names": ("--target", "class", "--encoding", "punycode"),
    "time that is a word": ("--target", "class", "--time", "b"),
    "Parquet: a folder of parts": (),
    "text column that is not there": ("--target", "class", "--text", "clas"),
    "text column that is the target": ("--target", "class", "--text", "class"),
    "text column that tells groups": ("--target", "class", "--text", "a", "--group", "a"),
    "text column of numbers": ("--target", "class", "--text", "a"),
    **dict.fromkeys(BAD_TEXTS, ("--target", "class", "--text", "a")),
    "text column of an archive": ("--text", "a"),
    "Parquet: an encoding": ("--target", "class", "--encoding", "latin-1"),
}
"""What is typed beside the file, where that is not ``--target class``."""


def write_image(path):
    """Write what the name of a file says: a small image, whole or not, or something else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix not in (".png", ".jpg") or path.stem == "text":
        path.write_text("no image")
        return
    pixels = np.arange(48, dtype=np.uint16 if path.stem == "deep" else np.uint8).reshape(6, 8)
    Image.fromarray(pixels).save(path)
    if path.stem == "damaged":
        path.write_bytes(path.read_bytes()[:-30])


def make_input(name, folder):
    """Make a bad input in a folder, beside a good table; return the arguments that name it."""
    path = folder / INPUTS[name]["file"]
    (folder / "good.csv").write_text(GOOD)
    if name in BAD_TABLES | BAD_TEXTS | BAD_SERIES:
        content = (BAD_TABLES | BAD_TEXTS | BAD_SERIES)[name]
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    elif name in BAD_ARCHIVES:
        np.savez(path, **BAD_ARCHIVES[name])
    elif BAD_PARQUET.get(name) is not None:
        pd.DataFrame(BAD_PARQUET[name]).to_parquet(path)
    elif path.name.startswith("sklearn:"):
        return ("-d", path.name)
    elif name in BAD_FOLDERS:
        for file in BAD_FOLDERS[name]:
            write_image(path / file)
    elif name in BAD_NPY:
        for role, array in BAD_NPY[name].items():
            np.save(folder / f"{role}.npy", array)
        if name == "array file: cut short":
            path.write_bytes(path.read_bytes()[:-40])
        elif name == "array file: none":
            path.write_bytes(b"PK nonsense")
        elif name == "array file: damaged header":
            path.write_bytes(path.read_bytes().replace(b"(12, 3), }", b"(12, 3),  "))
        elif name == "array file: negative shape":
            path.write_bytes(path.read_bytes().replace(b"(12, 3)", b"(-2, 3)"))
    elif name == "Parquet: two columns of one name":
        from pyarrow import parquet
        from pyarrow import table as arrow_table

        parquet.write_table(arrow_table([X[:, 0], X[:, 0], Y], names=["a", "a", "class"]), path)
    elif name == "archive: damaged":
        path.write_bytes(b"PK nonsense")
    elif INPUTS[name]["file"].endswith("/"):
        path.mkdir()
        if name == "stored data set that is damaged":
            (path / "manifest.json").write_text("{}")
    elif path.name != "missing.csv":
        path.write_text(GOOD)
    file = INPUTS[name]["file"].removesuffix("/")
    return (
        "-d",
        file,
        *OPTIONS.get(name, () if path.suffix in (".npz", ".npy") or path.is_dir() else ("--target", "class")),
    )
