"""
Completing what is typed: what the word before the cursor may become, and going through it. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from .buffer import ROOM
from .commands import COMMAND, COMMANDS, NAME, NICK
from .editing import Line
from .model import Model


@dataclass(frozen=True, slots=True)
class Choice:
    """
    What a part of a line may become.

    @ivar start: where the part begins, and `end` where it ends.
    @ivar words: what it may become, each with what follows it; likeliest first.
    """

    start: int
    end: int
    words: tuple[str, ...]


def choose(line: Line, model: Model) -> Choice:
    """What the word before the cursor may become."""
    before = line.text[: line.cursor]
    start = max(before.rfind(" "), before.rfind("\n")) + 1
    word = before[start:]
    found: list[str]
    if start == 0 and word.startswith("/"):
        found = [f"/{name} " for name in _matching(word[1:], list(COMMANDS))]
    else:
        kind = _wanted(before[:start])
        after = ": " if start == 0 else " "
        found = [f"{each}{after}" for each in _matching(word, _words(kind, model))]
        if not found and kind == NICK and not before.startswith("/"):
            found = [f"{each} " for each in _matching(word, _words(NAME, model))]
    return Choice(start, line.cursor, tuple(found))


def _wanted(before: str) -> str:
    """What is to stand behind a text."""
    if not before.startswith("/") or before.startswith("//"):
        return NICK
    words = before.split()
    command = COMMANDS.get(words[0][1:].lower())
    place = len(words) - 1
    if command is not None and place < len(command.completes):
        return command.completes[place]
    return NICK


def _words(kind: str, model: Model) -> list[str]:
    if kind == COMMAND:
        return [*COMMANDS, "keys"]
    if kind == NAME:
        known = model.rooms | {each.name for each in model.buffers if each.kind == ROOM}
        return sorted(known, key=str.casefold)
    here = model.active.members.likely()
    if model.active.kind != ROOM and model.active is not model.status:
        here = [model.active.name]
    known = {nick.casefold() for nick in here}
    rest = sorted((n for n in model.nicks if n.casefold() not in known), key=str.casefold)
    return [nick for nick in here + rest if nick != model.nick]


def _matching(begun: str, words: list[str]) -> list[str]:
    begun = begun.casefold()
    return [word for word in words if word.casefold().startswith(begun)]


class Cycle:
    """Going through the choices with one key."""

    def __init__(self) -> None:
        self._choice: Choice | None = None
        self._options: tuple[str, ...] = ()
        self._at = 0

    def end(self) -> None:
        """Another key was pressed."""
        self._choice = None

    def next(self, line: Line, model: Model, by: int = 1) -> tuple[str, ...]:
        """
        Puts the next choice into a line; past the last one, what was typed.

        @return: the choices.
        """
        if self._choice is None:
            self._choice = choose(line, model)
            begun = line.text[self._choice.start : self._choice.end]
            self._options = (*self._choice.words, begun)
            self._at = len(self._choice.words)
        words = self._choice.words
        if words:
            self._at = 0 if len(words) == 1 else (self._at + by) % len(self._options)
            line.replace(self._choice.start, line.cursor, self._options[self._at])
        return words
