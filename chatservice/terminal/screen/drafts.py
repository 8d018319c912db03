"""
What was typed and not sent, kept in a file from one run of the program to the next. Whose file it
is, and where, is decided elsewhere.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kept:
    """
    What one buffer leaves behind.

    @ivar kind: the buffer's kind, and `name` its name.
    @ivar texts: what was typed in it, earliest first.
    """

    kind: str
    name: str
    texts: tuple[str, ...]


class BadDrafts(Exception):
    """The file can't be used; the words say why."""


class Drafts:
    """
    A JSON file that only its owner can read (mode 0600), for all that use the program.

    @param path: the file; None keeps nothing.
    @param person: whose drafts these are: who, at which server.
    """

    def __init__(self, path: Path | None, person: str) -> None:
        self._path = path
        self._person = person
        self._written: tuple[Kept, ...] | None = None

    def load(self) -> list[Kept]:
        """
        What was kept.

        @raise BadDrafts: the file can't be read, or is none of ours; it is not touched then, but
            `save` puts it aside.
        """
        found = self._read().get(self._person, [])
        try:
            kept = [Kept(str(e["kind"]), str(e["name"]), _texts(e["texts"])) for e in found]
        except (KeyError, TypeError) as error:
            raise BadDrafts(f"{self._path} does not hold drafts") from error
        self._written = tuple(kept)
        return kept

    def save(self, kept: Sequence[Kept]) -> None:
        """
        Writes it down, if it is not written already.

        @raise BadDrafts: it can't be written.
        """
        if self._path is None or self._written == tuple(kept):
            return
        try:
            everybody = self._read()
        except BadDrafts:
            everybody = self._put_aside(self._path)
        everybody.pop(self._person, None)
        if kept:
            everybody[self._person] = [
                {"kind": each.kind, "name": each.name, "texts": list(each.texts)} for each in kept
            ]
        self._write(self._path, json.dumps(everybody, indent=1))
        self._written = tuple(kept)

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            read = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BadDrafts(f"can't read {self._path}: {error.strerror}") from error
        except ValueError as error:
            raise BadDrafts(f"{self._path} does not hold drafts") from error
        if not isinstance(read, dict):
            raise BadDrafts(f"{self._path} does not hold drafts")
        return read

    def _put_aside(self, path: Path) -> dict[str, Any]:
        try:
            path.replace(path.with_name(f"{path.name}.unreadable"))
        except OSError as error:
            raise BadDrafts(f"can't write {path}: {error.strerror}") from error
        return {}

    def _write(self, path: Path, text: str) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A file of `mkstemp` is its owner's alone; whoever reads finds the old or the new one.
            number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(path)
        except OSError as error:
            raise BadDrafts(f"can't write {path}: {error.strerror}") from error


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(str(each) for each in found)
