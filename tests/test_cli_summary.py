"""The end of a run on a terminal: nothing is wider than it."""

import pytest

from nncompare.cli.summary import result_lines

from . import report_fixtures as fixtures


@pytest.mark.parametrize("width", [50, 80])
def test_summary_lines_fit_the_terminal(width, tmp_path):
    lines = result_lines(fixtures.full(), tmp_path / "report.html", width)
    assert max(map(len, lines[:-1])) <= width
    assert "0.9510 to 0.9630" in "\n".join(lines)


def test_summary_in_a_pipe_keeps_a_sentence_on_one_line(tmp_path):
    results = fixtures.full()
    lines = result_lines(results, tmp_path / "report.html")
    assert f"mnist1d: {results.datasets[0].verdict.text}" in lines
