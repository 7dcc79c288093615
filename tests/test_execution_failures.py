"""What a plugin raised, in one line."""

import pytest

from nncompare.execution.failures import message_of

GRAPH = """Graph execution error:

Detected at node model/embedding/Gather defined at (most recent call last):
  File "runpy.py", line 198, in _run_module_as_main

indices[0,116] = 24072 is not in [0, 20000)
\t [[{{node model/embedding/Gather}}]] [Op:__inference_train_on_chunk_1]"""


@pytest.mark.parametrize(
    ("text", "message"),
    [(GRAPH, "indices[0,116] = 24072 is not in [0, 20000)"), ("one\n  two", "one two"), ("x" * 600, "x" * 500)],
)
def test_message_is_one_line_with_the_cause(text, message):
    assert message_of(ValueError(text)) == message
