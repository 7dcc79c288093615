"""The command line: each command parses, calls one function of the library, and prints."""

from nncompare.cli.check import check_one_plugin
from nncompare.cli.completion import print_completion
from nncompare.cli.data import data_commands
from nncompare.cli.diff import diff_runs
from nncompare.cli.doctor import diagnose_run
from nncompare.cli.group import CommandLine, common_options, version_option
from nncompare.cli.listing import list_plugins
from nncompare.cli.new_plugin import new_plugin
from nncompare.cli.predict import predict_samples
from nncompare.cli.report import rebuild_report
from nncompare.cli.resume import resume_run
from nncompare.cli.run import run_comparison
from nncompare.cli.runs import list_all_runs
from nncompare.cli.show import show_model
from nncompare.cli.verify import verify_run

__all__ = ["main"]

_HELP = """Which kind of neural network should I use, and how sure are we?

\b
Examples:
  nncompare run --all                       every model, into one report
  nncompare run -m cnn -m lstm -d mnist1d   two models, one data set
  nncompare run -d wine.csv --target class  your own table
  nncompare list --check                    what is installed, does it work?
"""

main = CommandLine("nncompare", help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
main = version_option(common_options(main))
for _command in (
    run_comparison,
    resume_run,
    list_all_runs,
    diagnose_run,
    list_plugins,
    show_model,
    check_one_plugin,
    data_commands,
    new_plugin,
    rebuild_report,
    diff_runs,
    verify_run,
    predict_samples,
    print_completion,
):
    main.add_command(_command)
