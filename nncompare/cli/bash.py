"""What completion in bash needs beyond click: bash takes ``sklearn:wine`` for three words."""

from __future__ import annotations

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

__all__ = ["join_words_at_colons"]

_COLON = ":"


def join_words_at_colons() -> None:
    """Make click complete words with a colon in bash, until the process ends."""
    add_completion_class(_WholeWords)


class _WholeWords(BashComplete):
    """Puts the last word together again, and offers what replaces the part of it that bash sees."""

    _before = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the last one, and the last one with what stands before its colon."""
        words, last = super().get_completion_args()
        if last == _COLON:
            words, last = [*words, _COLON], ""
        if len(words) < 2 or words[-1] != _COLON:
            return words, last
        self._before = f"{words[-2]}{_COLON}"
        return words[:-2], f"{self._before}{last}"

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the type and the rest of the word."""
        return f"{item.type},{item.value.removeprefix(self._before)}"
