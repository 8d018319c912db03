"""
The answer to a labelled command: gathered until it is whole, unless it is too long for that.

Specification: IRCv3 labeled-response.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from .message import escape_tag, format

LONGEST_LABEL = 64
"""Bytes (labeled-response, "Tag value"); what is longer is no label."""

MOST_GATHERED = 1000
"""
Lines of an answer that wait for its end: what is longer is a batch whose beginning is sent before
that, for it would wait in memory, however slowly the client reads.
"""


class Label:
    """
    @ivar lines: the lines of the answer that wait, with their endings.
    """

    __slots__ = ("_batch", "_name", "lines")

    def __init__(self, name: str) -> None:
        self._name = escape_tag(name)
        self._batch = ""
        self.lines: list[str] = []

    def take(self, lines: list[str]) -> str:
        """
        Lines of the answer.

        @return: what of it is sent now: nothing, or all of them if its beginning was.
        """
        if self._batch:
            return "".join(map(self._member, lines))
        self.lines += lines
        return ""

    def gather(
        self, lines: Iterator[str], server_name: str, batch_name: Callable[[], str]
    ) -> Iterator[str] | None:
        """
        Any number of lines of the answer.

        @return: what of it is sent now, if they are too many to wait.
        """
        if not self._batch:
            self.lines += islice(lines, max(0, MOST_GATHERED - len(self.lines)))
            if len(self.lines) < MOST_GATHERED:
                return None
            self._batch = batch_name()
            return self._beginning(lines, server_name)
        return map(self._member, lines)

    def _beginning(self, rest: Iterator[str], server_name: str) -> Iterator[str]:
        held, self.lines = self.lines, []
        begin = format("BATCH", "+" + self._batch, "labeled-response", source=server_name)
        yield tagged(f"label={self._name}", begin)
        yield from map(self._member, held)
        yield from map(self._member, rest)

    def _member(self, line: str) -> str:
        # What is in a batch of its own is in this one by that batch.
        return line if line.startswith("@batch=") else tagged(f"batch={self._batch}", line)

    def answer(self, server_name: str, batch: str) -> Iterator[str]:
        """
        The lines that are left, as they are sent: one with the label, several in a batch that has
        it (their own, if they are all of one), and if there is nothing to say, just that.

        @param batch: a name for the batch, if there is to be one.
        """
        label = f"label={self._name}"
        if self._batch:
            yield format("BATCH", "-" + self._batch, source=server_name)
        elif not self.lines:
            yield tagged(label, format("ACK", source=server_name))
        elif len(self.lines) == 1 or self._is_one_batch():
            yield tagged(label, self.lines[0])
            yield from self.lines[1:]
        else:
            self._batch = batch
            yield from self._beginning(iter(()), server_name)
            yield format("BATCH", "-" + batch, source=server_name)

    def _is_one_batch(self) -> bool:
        first, last = self.lines[0].split(" "), self.lines[-1].split()
        return (
            len(first) > 2
            and first[1] == "BATCH"
            and first[2].startswith("+")
            and last[1:] == ["BATCH", "-" + first[2][1:]]
        )


def tagged(tag: str, line: str) -> str:
    """A line with one more tag."""
    return f"@{tag};{line[1:]}" if line.startswith("@") else f"@{tag} {line}"
