"""The command line: each command parses, calls one function of the library, and prints."""

from nncompare.cli.group import CommandLine, common_options, version_option
from nncompare.cli.later import Later

__all__ = ["main"]

_HELP = """Which kind of neural network should I use, and how sure are we?

\b
Examples:
  nncompare run --all                       every model, into one report
  nncompare run -m cnn -m lstm -d mnist1d   two models, one data set
  nncompare run -d wine.csv --target class  your own table
  nncompare list --check                    what is installed, does it work?
"""

_COMMANDS = {
    "run": Later("run:run_comparison", "Compare models on data sets, write one report."),
    "resume": Later("resume:resume_run", "Go on with a stopped run, or extend one."),
    "runs": Later("runs:list_all_runs", "List runs and what became of them."),
    "doctor": Later("doctor:diagnose_run", "Say what is wrong with a run and what to do."),
    "list": Later("listing:list_plugins", "List models and data sets."),
    "show": Later("show:show_model", "Show what a model accepts and what is searched."),
    "check-plugin": Later("check:check_one_plugin", "Check that a plugin keeps the contract."),
    "data": Later("data:data_commands", "List, inspect and fetch data sets."),
    "new-plugin": Later("new_plugin:new_plugin", "Write the package of a new model."),
    "report": Later("report:rebuild_report", "Write the report of a run again, or in another form."),
    "diff": Later("diff:diff_runs", "Compare two runs: what changed, and is it real?"),
    "verify": Later("verify:verify_run", "Train a trial and a refit of a run again: equal?"),
    "predict": Later("predict:predict_samples", "Predict new samples with a model of a run."),
    "export": Later("export:export_model", "Write a model of a run for other programs."),
    "clean": Later("clean:clean", "Say what takes space, and remove it."),
    "completion": Later("completion:print_completion", "Print a script for the TAB key."),
}

main = CommandLine("nncompare", _COMMANDS, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
main = version_option(common_options(main))
