"""``nncompare data``, with data sets of a file, probes that answer at once, and a cache for each test."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict, replace

import pytest
from click.testing import CliRunner

import nncompare.loading
from nncompare import inventory, registry
from nncompare.cli import main
from nncompare.cli.data import _print_json, table_lines
from nncompare.data.files import cache_root
from nncompare.data.store import store_dataset
from nncompare.execution import runner as runner_module
from nncompare.execution.probe import ProbeResult
from nncompare.inventory import list_datasets, stored_datasets
from nncompare.plan import PlannedDataset
from nncompare.registry import DATASETS, Catalog, PluginProblem, find, load_class
from nncompare.results import Failure

from .children import DATASETS as FILE
from .children import dataset, processes_with, wait_until
from .file_server import serve_body, serving

TWICE = PluginProblem("twice", "rival 2.0 and shop 1.0", "2 distributions own 'twice'.")
BROKEN = ProbeResult(ok=False, reason="no module\n\x1b[2Jx")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NNCOMPARE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def shop(monkeypatch):
    """Install the named classes of datasets.py; ``infos`` replaces what one declares, ``Hangs`` is broken."""

    def install(*names, problems=(), infos=None):
        refs = {name: replace(find(dataset(name), DATASETS), distribution="shop", version="1.0") for name in names}

        def probe(ref):
            if ref.name == "Hangs":
                return BROKEN
            info = (infos or {}).get(ref.name) or load_class(ref.value).info
            return ProbeResult(ok=True, tags=json.loads(json.dumps(asdict(info))), file=str(FILE))

        for module in (registry, inventory):
            monkeypatch.setattr(module, "discover", lambda _group: Catalog(refs, list(problems)))
        monkeypatch.setattr(inventory, "probe_plugin", probe)
        monkeypatch.setattr(inventory, "probe_plugins", lambda refs: [probe(ref) for ref in refs])

    return install


@pytest.fixture
def warm(runner, monkeypatch):
    """Let ``fetch`` use the runner of all tests, and leave it open."""

    class Borrowed:
        def __enter__(self):
            return runner

        def __exit__(self, *exception):
            pass

    monkeypatch.setattr(runner_module, "LocalRunner", Borrowed)


def call(*arguments):
    return CliRunner().invoke(main, ["data", *arguments])


def store(name):
    plugin = load_class(dataset(name))
    return store_dataset(plugin.info, plugin().load(None), cache_root())


def test_data_list_says_where_each_is(shop):
    shop("Absent", "Hangs", "Remote", "Waves", infos={"Absent": replace(info("Remote"), name="Absent")})
    store("Remote")
    done = call("list")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "NAME    VIEW      TRAIN  TEST  CLASSES      SIZE  LICENCE                   STATE",
        "Absent  sequence     60    20        2   17.5 MB  CC BY 4.0, for research…  not fetched yet",
        "Hangs                                                                       broken: no module \\x1b[2Jx",
        "Remote  sequence     60    20        2   17.5 MB  CC BY 4.0, for research…  stored in the cache",
        "Waves   sequence     60    20        2  built in                            built in",
    ]


def info(name):
    return load_class(dataset(name)).info


def test_data_list_shows_refused_names(shop):
    shop("Waves", problems=(TWICE,))
    done = call("list")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[2].split(maxsplit=1) == ["twice", "refused: 2 distributions own 'twice'."]


def test_data_list_json_has_the_same_facts(shop):
    shop("Hangs", "Remote", "Waves", problems=(TWICE,))
    stored = store("Remote")
    hangs, remote, waves, twice = json.loads(call("list", "--json").stdout)["datasets"]
    assert [row["state"] for row in (hangs, remote, waves, twice)] == ["broken", "stored", "built in", "refused"]
    assert (hangs["info"], waves["stored"], twice["reason"]) == (None, None, TWICE.reason)
    assert remote["info"]["licence"] == info("Remote").licence
    assert remote["stored"]["fingerprint"] == stored.fingerprint
    assert remote["stored"]["folder"] == str(stored.folder)
    assert remote["distribution"] == "shop"


def test_data_list_asks_a_plugin_once(tmp_path, monkeypatch):
    (tmp_path / "own.py").write_text(
        f"open({str(tmp_path / 'asked')!r}, 'a').write('x')\n"
        "from nncompare.plugin import DatasetInfo, DatasetPlugin\n"
        "class Own(DatasetPlugin):\n"
        "    info = DatasetInfo(name='Own', view='image', n_train=5, n_test=0, class_names=('a', 'b'))\n"
        "    def load(self, cache): raise AssertionError\n"
    )
    ref = find(f"{tmp_path / 'own.py'}:Own", DATASETS)
    monkeypatch.setattr(inventory, "discover", lambda _group: Catalog({"Own": ref}, []))
    first, second = call("list").stdout, call("list").stdout
    assert first == second
    assert first.splitlines()[1].split() == ["Own", "image", "5", "20", "%", "2", "built", "in", "built", "in"]
    assert (tmp_path / "asked").read_text() == "x"


def test_data_list_on_a_narrow_terminal_keeps_what_matters(shop):
    shop("Remote")
    known = list_datasets()
    assert table_lines(known, 45) == [
        "NAME    TRAIN  TEST     SIZE  STATE",
        "Remote     60    20  17.5 MB  not fetched yet",
    ]
    assert "LICENCE" in table_lines(known, 100)[0]


@pytest.mark.parametrize("declared", [{"citation": "Somebody (2021). Waves."}, {"n_train": 61}])
def test_data_declared_otherwise_than_stored_is_not_stored(shop, declared):
    store("Remote")
    shop("Remote", infos={"Remote": replace(info("Remote"), **declared)})
    assert list_datasets()[0].state == "not fetched"


def test_data_info_that_cannot_be_is_broken(shop):
    shop("Remote", infos={"Remote": replace(info("Remote"), n_train="many")})
    (known,) = list_datasets()
    assert known.state == "broken"
    assert "n_train is 'many'" in known.reason


@pytest.mark.parametrize(
    ("declared", "fault"),
    [
        ({"scale": float("nan")}, "scale is nan: a positive number is expected"),
        ({"scale": float("inf")}, "scale is inf: a positive number is expected"),
        ({"scale": -1.0}, "scale is -1.0: a positive number is expected"),
        ({"n_train": 0}, "n_train is 0: a number from 1 to 1e+15 is expected"),
        ({"n_test": -7}, "n_test is -7: a number from 0 to 1e+15 is expected"),
        ({"download_bytes": -5}, "download_bytes is -5: a number from 0 to 1e+15 is expected"),
        ({"n_train": 10**400}, f"n_train is 1{'0' * 39}: a number from 1 to 1e+15 is expected"),
    ],
)
def test_data_number_that_cannot_be_is_broken(shop, declared, fault):
    shop("Remote", infos={"Remote": replace(info("Remote"), **declared)})
    (known,) = list_datasets()
    assert (known.state, known.reason) == ("broken", f"its info cannot be: {fault}")
    assert json.loads(call("list", "--json").stdout, parse_constant=pytest.fail)["datasets"][0]["info"] is None


def test_data_json_is_never_printed_with_what_json_lacks():
    with pytest.raises(ValueError, match="not JSON compliant"):
        _print_json({"scale": float("nan")})


def test_data_info_of_long_texts_shows_their_beginning(shop):
    long, name = "x" * 5_000_000, "y" * 41
    shop(
        "Remote",
        infos={
            "Remote": replace(
                info("Remote"),
                class_names=(name, "z" * 40),
                description=long,
                licence=long,
                citation=long,
                homepage=long,
            )
        },
    )
    shown = dict(line.split(": ", 1) for line in call("info", "Remote").stdout.splitlines()[1:])
    for label in ("description", "licence", "citation", "homepage"):
        assert shown[label] == "x" * 399 + "…"
    assert shown["classes"] == f"2 ({'y' * 39}…, {'z' * 40})"


@pytest.mark.parametrize("damage", ["manifest.json", "y_test.npy"])
def test_data_damaged_folder_is_not_stored(shop, damage):
    shop("Remote")
    folder = store("Remote").folder
    assert [data.folder for data in stored_datasets(cache_root())] == [folder]
    (folder / damage).unlink()
    assert list_datasets()[0].state == "not fetched"


def test_data_manifest_that_is_no_json_is_left_out():
    folder = store("Remote").folder
    (folder / "manifest.json").write_text("{")
    assert stored_datasets(cache_root()) == []


def test_data_folder_that_is_being_written_is_left_out():
    folder = store("Remote").folder
    folder.rename(folder.with_name(f".{folder.name}.1.00000000.tmp"))
    assert stored_datasets(cache_root()) == []


def test_data_info_before_it_is_stored(shop):
    shop("Remote")
    done = call("info", "Remote")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"Remote, from shop 1.0 ({dataset('Remote')})",
        f"file: {FILE}",
        "description: Waves from afar",
        "view: sequence",
        "classes: 2 (slow, fast)",
        "rows: 60 for training and validation, 20 for the test",
        "licence: CC BY 4.0, for research and teaching only",
        "citation: Nobody (2020). Waves.",
        "homepage: https://example.org/waves",
        "download: 17.5 MB",
        "state: not fetched yet",
        "fingerprint: known once it is stored: nncompare data fetch Remote",
    ]


def test_data_info_once_it_is_stored(shop):
    shop("Remote")
    stored = store("Remote")
    n_bytes = sum(file.stat().st_size for file in stored.folder.iterdir())
    shown = dict(line.split(": ", 1) for line in call("info", "Remote").stdout.splitlines()[1:])
    assert shown["state"] == "stored in the cache"
    assert shown["samples"] == "12 x 1, float32"
    assert shown["last stored"] == f"{stored.folder} ({n_bytes / 1e3:.3g} kB)"
    assert shown["fingerprint"] == stored.fingerprint
    assert shown["fingerprint of the test labels"] == stored.test_fingerprint
    assert shown["duplicates"] == "0 rows of the test part also in the training part"
    assert shown["test part by class"] == "slow 10, fast 10"


def test_data_info_of_a_class_that_is_not_installed_says_how_to_fetch_it(tmp_path):
    path = tmp_path / "mydata.py"
    path.write_text(
        "from nncompare.plugin import DatasetInfo, DatasetPlugin\n"
        "class MyData(DatasetPlugin):\n"
        "    info = DatasetInfo(name='MyData', view='image', n_train=5, n_test=0, class_names=('a', 'b'))\n"
        "    def load(self, cache): raise AssertionError\n"
    )
    shown = call("info", f"{path}:MyData").stdout
    assert f"fingerprint: known once it is stored: nncompare data fetch {path}:MyData\n" in shown


def test_data_info_of_two_that_were_stored_is_of_the_last(shop):
    shop("Remote")
    first = store("Remote")
    plugin = load_class(dataset("Remote"))
    other = plugin().load(None)
    second = store_dataset(plugin.info, replace(other, X_train=other.X_train + 1), cache_root())
    for n, stored in enumerate((second, first)):
        os.utime(stored.folder / "manifest.json", (n, n))
    assert f"last stored: {first.folder} (" in call("info", "Remote").stdout


def test_data_info_without_a_test_part_says_that_a_fifth_becomes_it(shop):
    shop("Remote", infos={"Remote": replace(info("Remote"), n_test=0)})
    assert "rows: 60, of which a stratified 20 % becomes the test part\n" in call("info", "Remote").stdout


def test_data_info_of_many_classes_names_the_first(shop):
    names = tuple(f"c{number}" for number in range(1000))
    shop("Remote", infos={"Remote": replace(info("Remote"), class_names=names)})
    assert "classes: 1000 (c0, c1," in call("info", "Remote").stdout
    assert ", c19 and 980 more)\n" in call("info", "Remote").stdout


def test_data_info_json_is_the_row_of_the_list(shop):
    shop("Remote")
    store("Remote")
    assert [json.loads(call("info", "Remote", "--json").stdout)] == json.loads(call("list", "--json").stdout)[
        "datasets"
    ]


def test_data_texts_of_a_plugin_cannot_steer_the_terminal(shop):
    hostile = "a\n\x1b[2J\u202e"
    shop("Remote", infos={"Remote": replace(info("Remote"), licence=hostile, class_names=(hostile, "b"))})
    for command in (("list",), ("info", "Remote")):
        shown = call(*command).stdout
        assert "a \\x1b[2J\\u202e" in shown
        assert all(c.isprintable() for c in shown.replace("\n", ""))


@pytest.mark.parametrize("command", ["info", "fetch"])
def test_data_unknown_name_exits_2_with_the_nearest(shop, command):
    shop("Remote", "Waves")
    done = call(command, "Wave")
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        done.stderr
        == "Error: No data set plugin is called 'Wave'. Did you mean 'Waves'? Installed: Remote, Waves.\n"
    )


def test_data_info_of_a_broken_plugin_exits_3(shop):
    shop("Hangs")
    done = call("info", "Hangs")
    assert done.exit_code == 3
    assert done.stderr == "Error: The data set 'Hangs' of shop 1.0 does not work: no module \\x1b[2Jx\n"


def test_data_fetch_stores_and_says_the_terms(shop, warm):
    shop("Remote")
    done = call("fetch", "Remote")
    assert done.exit_code == 0, done.output
    (stored,) = stored_datasets(cache_root())
    first, *terms = done.stdout.splitlines()
    assert first.startswith(f"Remote: 60 + 20 sequences, stored in {stored.folder}, ")
    assert terms == ["  licence: CC BY 4.0, for research and teaching only", "  citation: Nobody (2020). Waves."]
    again = call("fetch", "Remote")
    assert again.exit_code == 0
    assert again.stdout.startswith(f"Remote: 60 + 20 sequences, checked, and here already in {stored.folder}, ")


def test_data_fetch_without_a_network_keeps_the_stored_copy_and_says_so(shop, warm):
    shop("Streamed")
    plugin = load_class(dataset("Streamed"))
    copy = store_dataset(plugin.info, load_class(dataset("Waves"))().load(None), cache_root())
    assert list_datasets()[0].state == "stored"
    done = call("fetch", "Streamed")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == (
        "Warning: Streamed could not be fetched; the copy that was stored last is used "
        f"(fingerprint {copy.fingerprint[:8]}…)."
    )
    assert done.stdout.startswith(f"Streamed: 60 + 20 sequences, here already in {copy.folder}, ")


def test_data_fetch_goes_on_after_failures(shop, warm):
    shop("Absent", "Damaged", "Waves")
    done = call("fetch", "--all")
    assert done.exit_code == 1
    assert done.stdout.startswith("Waves: 60 + 20 sequences, stored in ")
    absent, damaged = done.stderr.splitlines()
    assert absent == "Error: The data set 'Absent' is not ready: 'Absent' cannot be fetched: no network."
    assert damaged.startswith("Error: The data set 'Damaged' is not ready: ")


@pytest.mark.parametrize("category", ["disk", "storage"])
def test_data_fetch_into_a_full_disk_exits_74_and_goes_on(shop, warm, monkeypatch, category):
    shop("Absent", "Remote", "Waves")
    load = nncompare.loading.load_dataset

    def fill(name, *arguments):
        failure = Failure(category=category, message="No room.")
        return PlannedDataset(name=name, failure=failure) if name == "Remote" else load(name, *arguments)

    monkeypatch.setattr(nncompare.loading, "load_dataset", fill)
    done = call("fetch", "Absent", "Remote", "Waves")
    assert done.exit_code == 74
    assert done.stderr.splitlines()[1] == "Error: The data set 'Remote' is not ready: No room."
    assert done.stdout.startswith("Waves: ")


def test_data_fetch_all_says_what_is_refused(shop, warm):
    shop("Waves", problems=(TWICE,))
    done = call("fetch", "--all")
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "Error: The data set 'twice' of rival 2.0 and shop 1.0 is refused: 2 distributions"
    )
    assert done.stdout.startswith("Waves: ")


@pytest.mark.parametrize("arguments", [(), ("--all", "Waves")])
def test_data_fetch_wants_either_names_or_all(shop, arguments):
    shop("Waves")
    done = call("fetch", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert (
        done.stderr == "Error: Say what to fetch: either --all, or the names that 'nncompare data list' shows.\n"
    )


def test_data_fetch_unknown_name_fetches_nothing(shop, warm):
    shop("Waves")
    assert call("fetch", "Waves", "other").exit_code == 2
    assert stored_datasets(cache_root()) == []


def test_data_help_has_examples_for_each_command():
    shown = CliRunner().invoke(main, ["--help"]).stdout
    assert re.search(r"^  data +List, inspect and fetch data sets\.$", shown, re.MULTILINE)
    for command in ([], ["list"], ["info"], ["fetch"]):
        assert "  nncompare data " in call(*command, "--help").stdout.partition("Example")[2]


def test_data_fetch_without_a_network_says_so_in_one_sentence(shop, warm):
    shop("Streamed", "Waves")
    done = call("fetch", "--all")
    assert done.exit_code == 1
    begin, end, error = done.stderr.splitlines()
    assert (begin, end) == ("Fetching data.bin, 256.0 kB, from 127.0.0.1:9 ...", "data.bin was not fetched.")
    assert error.startswith(
        "Error: The data set 'Streamed' is not ready: 'data.bin' could not be fetched from 127."
    )
    assert done.stdout.startswith("Waves: ")


@pytest.fixture
def start():
    """Start ``fetch`` in a process of its own, whose downloads come from a server."""
    started = []

    def call(name, server, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", "from nncompare.cli import main; main()", "data", "fetch", dataset(name)],
            env={**os.environ, "NNCOMPARE_DATA_MIRROR": server.address, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_data_fetch_shows_the_download(start):
    with serving(serve_body) as server:
        out, err = start("Streamed", server).communicate(timeout=60)
    source = server.address.removeprefix("http://")
    assert err.splitlines() == [f"Fetching data.bin, 256.0 kB, from {source} ...", "Fetched data.bin."]
    assert out.startswith("Streamed: 60 + 20 sequences, stored in ")


@pytest.mark.slow
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_data_fetch_interrupted_leaves_nothing_behind(start, cache, signum, code):
    marker = f"nncompare-fetch-{os.getpid()}-{code}"
    with serving("serve_slowly") as server:
        process = start("Streamed", server, NNCOMPARE_TEST_MARKER=marker)
        assert server.started.wait(60)
        assert wait_until(lambda: (cache / "downloads" / "Streamed" / ".data.bin.part").is_file())
        process.send_signal(signum)
        _out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in err
    assert wait_until(lambda: not processes_with(marker))
    left = {path.name for path in cache.rglob("*") if path.is_file()}
    assert left == {".data.bin.lock", "CACHEDIR.TAG", "cache.lock"}


def test_info_refuses_a_file_and_names_the_command_that_reads_it():
    done = CliRunner().invoke(main, ["data", "info", "wine.csv"])
    assert done.exit_code == 2
    assert "nncompare run --all -d wine.csv --target COLUMN --dry-run" in done.stderr
