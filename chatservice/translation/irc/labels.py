"""
The answer to a labelled command, gathered until it is whole.

Specification: IRCv3 labeled-response.
"""

from __future__ import annotations

from collections.abc import Iterator

from .message import escape_tag, format

LONGEST_LABEL = 64
"""Bytes (labeled-response, "Tag value"); what is longer is no label."""


class Label:
    """
    @ivar lines: the lines of the answer, with their endings.
    """

    __slots__ = ("_name", "lines")

    def __init__(self, name: str) -> None:
        self._name = escape_tag(name)
        self.lines: list[str] = []

    def answer(self, server_name: str, batch: str) -> Iterator[str]:
        """
        The lines, as they are sent: one with the label, several in a batch that has it (their own,
        if they are all of one), and if there is nothing to say, just that.

        @param batch: a name for the batch, if there is to be one.
        """
        label = f"label={self._name}"
        if not self.lines:
            yield tagged(label, format("ACK", source=server_name))
        elif len(self.lines) == 1 or self._is_one_batch():
            yield tagged(label, self.lines[0])
            yield from self.lines[1:]
        else:
            begin = format("BATCH", "+" + batch, "labeled-response", source=server_name)
            yield tagged(label, begin)
            for line in self.lines:
                # What is in a batch of its own is in this one by that batch.
                inner = line.startswith("@batch=")
                yield line if inner else tagged(f"batch={batch}", line)
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
