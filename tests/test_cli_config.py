"""The configuration file: what it may say, who wins, which line is wrong, and how it is written."""

import os
import sys
import tomllib
from pathlib import Path
from types import ModuleType, SimpleNamespace

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from nncompare.cli import main
from nncompare.cli.configfile import settable
from nncompare.cli.run import run_comparison
from nncompare.cli.secrets import without_passwords
from nncompare.cli.toml_lines import line_of
from nncompare.selection import ONLY_VARIABLE
from nncompare.settings import RunConfig

EVERYTHING = """
model = ["cnn", "mlp"]
dataset = ["digits", "my data.csv"]
target = "class"
text = "review"
encoding = "latin-1"
group = "patient"
view = "tabular"
image-size = 32
preset = "quick"
trials = 7
epochs = 9
seeds = 2
jobs = 1
threads = 3
seed = 5
timeout = "20m"
trial-timeout = 1.5
trial-memory = 500
out = "elsewhere"
storage = "sqlite:///a.db"
estimate = false
deterministic = true
strict = true
only-plugins = ["nncompare"]
show-rows = true

[set.cnn]
kernel = 3

[set.mlp]
activation = "tanh"
"""


class Asked(list):
    """Configurations, and beside them the limits to plugins that held when they arrived."""

    def __init__(self):
        super().__init__()
        self.limits = []


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Work in a fresh folder; return the configurations that reached the planner, which then ends the run."""
    found = Asked()

    def make_plan(config, runner, progress):
        found.append(config)
        found.limits.append(os.environ.get(ONLY_VARIABLE))
        return SimpleNamespace(folder=Path("reports/r"), jobs=1, datasets=[], studies=[])

    planning, estimating = ModuleType("nncompare.planning"), ModuleType("nncompare.estimate")
    planning.make_plan = make_plan
    estimating.estimate_plan = lambda plan, runner, listener=None: None
    for module in (planning, estimating):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNCOMPARE_STORAGE", raising=False)
    return found


def run(*arguments, **env):
    return CliRunner().invoke(main, ["run", "--dry-run", *arguments], env=env)


def written(text, name="nncompare.toml"):
    Path(name).write_text(text, encoding="utf-8")


def test_config_every_setting_reaches_the_run(asked):
    written(EVERYTHING)
    done = run()
    assert done.exit_code == 0
    assert done.stderr.splitlines()[0] == "Settings from nncompare.toml."
    (config,) = asked
    assert asked.limits == ["nncompare"]
    assert config == RunConfig(
        models=("cnn", "mlp"),
        datasets=("digits", "my data.csv"),
        target="class",
        text="review",
        encoding="latin-1",
        group="patient",
        view="tabular",
        image_size=32,
        preset="quick",
        n_trials=7,
        max_epochs=9,
        n_refits=2,
        jobs=1,
        threads=3,
        seed=5,
        pins={"cnn": {"kernel": 3}, "mlp": {"activation": "tanh"}},
        out=Path("elsewhere"),
        strict=True,
        deterministic=True,
        show_rows=True,
        timeout_s=1200.0,
        trial_timeout_s=1.5,
        trial_memory_mb=500.0,
        storage="sqlite:///a.db",
        command=config.command,
    )


def test_config_of_every_option_but_those_of_one_run(asked):
    """The file above and the flags that only change what is printed are all that can be set."""
    known = set(settable(run_comparison))
    assert known - set(tomllib.loads(EVERYTHING)) == {"all", "open", "quiet", "time"}  # not beside group


def test_config_command_in_the_results_repeats_the_run_without_the_file(asked):
    written(EVERYTHING)
    run("--trials", "8")
    Path("nncompare.toml").unlink()
    (first,) = asked
    assert first.command[:5] == ("nncompare", "run", "--dry-run", "--trials", "8")
    run(*first.command[3:], "--storage", "sqlite:///a.db")
    again = asked[1]
    assert {name: getattr(again, name) for name in RunConfig.__slots__ if name != "command"} == {
        name: getattr(first, name) for name in RunConfig.__slots__ if name != "command"
    }


@pytest.mark.parametrize(
    ("text", "arguments", "field", "value"),
    [
        ('model = ["cnn"]\ntrials = 3', ("--trials", "4"), "n_trials", 4),
        ('model = ["cnn"]', ("-m", "mlp"), "models", ("mlp",)),
        ('model = "cnn"', (), "models", ("cnn",)),
        ("all = true", ("-m", "mlp"), "models", ("mlp",)),
        ('model = ["cnn"]', ("--all",), "models", ()),
        ('model = ["cnn"]\n[set.cnn]\na = 1', ("--set", "cnn.b=2"), "pins", {"cnn": {"b": 2}}),
        ("all = true\nstrict = true", ("--no-strict",), "strict", False),
        ("all = true\ntimeout = 90", (), "timeout_s", 90.0),
    ],
)
def test_config_command_line_wins(asked, text, arguments, field, value):
    written(text)
    assert run(*arguments).exit_code == 0
    assert getattr(asked[0], field) == value


def test_config_environment_wins_over_the_file(asked):
    written('all = true\nstorage = "sqlite:///file.db"')
    run(NNCOMPARE_STORAGE="sqlite:///variable.db")
    assert asked[0].storage == "sqlite:///variable.db"


def test_config_own_file_comes_before_pyproject(asked):
    written("all = true\nseed = 1")
    written("[tool.nncompare]\nall = true\nseed = 2", "pyproject.toml")
    run()
    Path("nncompare.toml").unlink()
    assert run().stderr.startswith("Settings from pyproject.toml.\n")
    written("all = true\nseed = 3", "other.toml")
    assert run("--config", "other.toml").stderr.startswith("Settings from other.toml.\n")
    assert [config.seed for config in asked] == [1, 2, 3]


@pytest.mark.parametrize(
    "text",
    [
        b"[tool.other]\na = 1",
        b"this is not TOML",
        b'[project]\nname = "nncompare-fan"',
        b'[project]\nname = "nncompare-fan',
        b'# nncompare\nauthors = ["Ren\xe9"]',
    ],
)
def test_config_pyproject_of_others_is_left_alone(asked, text):
    Path("pyproject.toml").write_bytes(text)
    listed = CliRunner().invoke(main, ["runs"])
    assert (listed.exit_code, "Warning" in listed.stderr) == (0, False)
    done = run("--all")
    assert done.exit_code == 0
    assert "Settings" not in done.stderr


@pytest.mark.parametrize(
    ("text", "arguments", "left_out"),
    [
        ('target = "class"', ("-d", "digits"), "target"),
        ('target = "class"\nencoding = "latin-1"', ("--all",), "target, encoding"),
        ('target = "class"\ntime = "day"', ("--all",), "target, time"),
        ('target = "class"\nview = "tabular"', ("-d", "a.npz"), "target"),
        ('view = "image"', ("-d", "a.csv", "--target", "class"), "view"),
        ("image-size = 32", ("-d", "digits"), "image-size"),
        ("[set.lstm]\ncell = 'gru'\n[set.mlp]\na = 1", ("-m", "mlp"), "set.lstm"),
    ],
)
def test_config_setting_that_does_not_apply_is_left_out_with_one_line(asked, text, arguments, left_out):
    written(text)
    done = run(*arguments)
    assert done.exit_code == 0, done.stderr
    verb = "do not apply and are" if "," in left_out else "does not apply and is"
    assert f"nncompare.toml: {left_out} {verb} left out of this run.\n" in done.stderr
    (config,) = asked
    if "set." in left_out:
        assert config.pins == {"mlp": {"a": 1}}
    else:
        fields = left_out.replace("-", "_").split(", ")
        assert [getattr(config, name) for name in fields] == [None] * len(fields)
        assert not {f"--{name}" for name in left_out.split(", ")} & set(config.command) - set(arguments)


@pytest.mark.parametrize(
    ("text", "arguments", "kept"),
    [
        ('target = "class"', ("-d", "a.csv"), {"target": "class"}),
        ('target = "class"', ("-d", "digits", "--target", "kind"), {"target": "kind"}),
        ('dataset = "digits"\ntarget = "class"', ("--all",), {"target": "class"}),
        ('target = ["a=x", "b=y"]', ("-d", "a.csv", "-d", "b.csv"), {"target": {"a": "x", "b": "y"}}),
        ('target = ["a=x", "b=y"]', ("-d", "a.csv"), {"target": {"a": "x", "*": "b=y"}}),
        ('view = "image"', ("-d", "a.npz"), {"view": "image"}),
        ('view = "image"', ("-d", "X.npy"), {"view": "image"}),
        ("image-size = 32", ("-d", "."), {"image_size": 32}),
        ("[set.lstm]\ncell = 'gru'", ("--all",), {"pins": {"lstm": {"cell": "gru"}}}),
    ],
)
def test_config_setting_that_applies_or_was_typed_is_kept(asked, text, arguments, kept):
    written(text)
    done = run(*arguments)
    assert "left out" not in done.stderr
    (config,) = asked
    assert {name: getattr(config, name) for name in kept} == kept


def test_config_quiet_does_not_name_the_file(asked):
    written("all = true\nquiet = true")
    assert run().stderr == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = ["mlp"\ntrials = 3', "is not TOML: Unclosed array (at line 2, column 1)."),
        (
            '# c\n\nmodel = [\n "mlp",\n]\ntrails = 3',
            ", line 6: trails: there is no such setting. Did you mean 'trials'?",
        ),
        ("all = true\nn_trials = 3", ", line 2: n_trials: there is no such setting. Did you mean 'trials'?"),
        ("all = true\nxyzzy = 3", ", line 2: xyzzy: there is no such setting. Known are all, model, dataset, "),
        ("all = true\ntrials = 5.7", ", line 2: trials: 5.7 is not a whole number."),
        ("all = true\ntrials = true", ", line 2: trials: true is not a whole number."),
        ('all = true\ntrials = "5"', ', line 2: trials: "5" is not a whole number.'),
        ("all = true\ntrials = 0", ", line 2: trials: 0 is not in the range x>=1."),
        ('preset = "fast"', ", line 1: preset: 'fast' is not one of 'quick', 'standard', 'thorough'."),
        ('all = true\ntimeout = "20 parsecs"', ", line 2: timeout: '20 parsecs' is no time above 0;"),
        ("all = true\ntrial-memory = -1", ", line 2: trial-memory: -1 is not a number above 0."),
        ("strict = 1", ", line 1: strict: 1 is not true or false."),
        ("model = [1]", ", line 1: model: [1] is not a text or a list of texts."),
        ("target = 3", ", line 1: target: 3 is not a text or a list of texts."),
        ("[set.mlp]\nunits = 1979-05-27", ', line 2: set.mlp.units: "1979-05-27" is no value of a parameter.'),
        ("[set]\nunits = 3", ", line 2: set.units: it belongs to no model."),
        ("set = 3", ", line 1: set: 3 is no table."),
        ("json = true", ", line 1: json: --json is for the command line only."),
        ('all = true\nmodel = "mlp"', ", line 1: all: it runs every model, so 'model' cannot choose."),
    ],
)
def test_config_wrong_file_names_file_line_and_key(asked, text, message):
    written(text)
    done = run()
    assert (done.exit_code, done.stdout, asked) == (2, "", [])
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: 'nncompare.toml'")
    assert message in last


def test_config_wrong_pyproject_names_its_table(asked):
    written("[project]\ntrails = 3\n\n[tool.nncompare]\ntrails = 3", "pyproject.toml")
    assert "'pyproject.toml', line 5: tool.nncompare.trails: " in run().stderr


@pytest.mark.parametrize("text", [b"[tool.nncompare]\nout =", b'[tool.nncompare]\nout = "Ren\xe9"'])
def test_config_pyproject_that_cannot_be_read_stops_a_run_and_warns_others(asked, text):
    Path("pyproject.toml").write_bytes(text)
    done = run("--all")
    assert (done.exit_code, asked) == (2, [])
    listed = CliRunner().invoke(main, ["runs"])
    assert listed.exit_code == 0
    warning = listed.stderr.splitlines()[0]
    assert warning.startswith("Warning: 'pyproject.toml' ")
    assert warning.endswith(" Its settings are not used.")


def test_config_own_file_that_cannot_be_read_stops_every_command(asked):
    written("out =")
    done = CliRunner().invoke(main, ["runs"])
    assert done.exit_code == 2
    assert "'nncompare.toml' is not TOML" in done.stderr


def test_config_without_the_table_is_said_where_it_was_asked_for(asked):
    written("[tool.other]", "pyproject.toml")
    done = run("--config", "pyproject.toml", "--all")
    assert (done.exit_code, done.stderr) == (2, "Error: 'pyproject.toml' has no table [tool.nncompare].\n")


def test_config_of_another_encoding_is_one_sentence(asked):
    Path("nncompare.toml").write_bytes('model = ["é"]'.encode("latin-1"))
    done = run()
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: 'nncompare.toml' cannot be read: UnicodeDecodeError")


def test_config_out_is_used_by_other_commands(asked):
    written('out = "elsewhere"\nmodel = ["cnn"]')
    assert "There is no run in 'elsewhere' yet." in CliRunner().invoke(main, ["report", "latest"]).stderr


def test_save_config_repeats_the_run(asked):
    written(EVERYTHING)
    assert run("--save-config", "saved.toml", "--trials", "8", "-m", "lstm").exit_code == 0
    Path("nncompare.toml").unlink()
    assert run("--config", "saved.toml").exit_code == 0
    first, again = asked
    assert again.n_trials == 8
    assert again.models == ("lstm",)
    assert {name: getattr(again, name) for name in RunConfig.__slots__ if name != "command"} == {
        name: getattr(first, name) for name in RunConfig.__slots__ if name != "command"
    }


def test_save_config_writes_what_was_said_and_the_defaults_as_comments(asked):
    done = run("--save-config", "saved.toml", "--all", "--trial-timeout", "2h")
    text = Path("saved.toml").read_text(encoding="utf-8")
    assert "Settings saved in saved.toml.\n" in done.stderr
    assert text.startswith("# Settings of nncompare ")
    assert tomllib.loads(text) == {"all": True, "trial-timeout": 7200}
    assert '\n# preset = "standard"\n' in text


def test_save_config_without_anything_to_run_only_saves(asked):
    done = CliRunner().invoke(main, ["run", "--trials", "5", "--save-config", "saved.toml"])
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Settings saved in saved.toml.\n")
    assert asked == []
    assert tomllib.loads(Path("saved.toml").read_text(encoding="utf-8")) == {"trials": 5}


def test_save_config_never_replaces_a_file(asked):
    written("# mine", "saved.toml")
    done = run("--all", "--save-config", "saved.toml")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: --save-config: 'saved.toml' exists and is not replaced.")
    assert Path("saved.toml").read_text(encoding="utf-8") == "# mine"


def test_save_config_keeps_the_password_to_itself(asked):
    done = run("--all", "--save-config", "saved.toml", NNCOMPARE_STORAGE="postgresql://ann:s3cret@host/db")
    text = Path("saved.toml").read_text(encoding="utf-8")
    assert "s3cret" not in text + done.stderr + done.stdout
    assert "storage" not in tomllib.loads(text)
    assert "The storage is not in it" in done.stderr


@pytest.mark.parametrize("form", [["--storage", "{}"], ["--storage={}"], ["{}"]])
def test_typed_command_and_messages_hold_no_password(asked, form):
    url = "postgresql://ann:s3/c@ret@host/db?password=s3cret"
    done = run("--all", *(part.format(url) for part in form))
    shown = done.stderr + done.stdout + repr([config.command for config in asked])
    assert "s3" not in shown
    assert "ret@" not in shown
    if asked:
        assert asked[0].storage == url
        assert any(word.endswith("postgresql://***") for word in asked[0].command)


@pytest.mark.parametrize("form", [["--storage", "{}"], ["--storage={}"], ["--out", "{}"]])
@pytest.mark.parametrize("url", ["postgresql://ann:my s3cret@h/db", "postgresql://h/db?password=my s3cret&x=1"])
def test_typed_command_holds_no_part_of_a_password_with_a_blank(asked, form, url):
    done = run("--all", *(part.format(url) for part in form))
    (config,) = asked
    assert "s3cret" not in done.output + repr(config.command)
    assert any("postgresql://ann:***@h/db" in word or "h/db?password=" in word for word in config.command)


@pytest.mark.parametrize(
    "text", ["mlp", "sqlite:///a.db", "postgresql://host/db", "path/to/file.py:Class", "a@b:c", "http://h/?a=b"]
)
def test_without_passwords_leaves_the_rest_alone(text):
    assert without_passwords(text) == text


@given(
    st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.integers() | st.lists(st.text()), max_size=6)
)
def test_line_of_finds_every_key(values):
    import tomli_w

    text = "# a comment\n\n" + tomli_w.dumps(values)
    for key in values:
        line = line_of(text, (key,))
        assert text.split("\n")[line - 1].startswith(f"{key} = ")
    assert line_of(text, ("absent",)) is None


def test_settable_keys_are_long_names():
    assert all(f"--{key}" in option.opts for key, option in settable(run_comparison).items())
    assert all(isinstance(option, click.Option) for option in settable(run_comparison).values())
