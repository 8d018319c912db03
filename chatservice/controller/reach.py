"""
Which histories anybody can still read. A deleted room's, and a conversation with a guest who is
gone, have no reader: whoever takes the name next is somebody else. Retention forgets them whatever
their age.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .state import RecordKey


@dataclass(frozen=True, slots=True)
class Reach:
    """
    @ivar rooms: the ids of the rooms that there are.
    @ivar guests: the identities of the guests who are here.
    """

    rooms: frozenset[str]
    guests: frozenset[str]

    @classmethod
    def of(cls, records: Mapping[RecordKey, Mapping[str, Any]]) -> Reach:
        """The reach of a state's records."""
        return cls(
            rooms=frozenset(one for kind, one, _ in records if kind == "room"),
            guests=frozenset(
                record["identity"]
                for (kind, _, _), record in records.items()
                if kind == "user" and not record["account"]
            ),
        )

    def includes(self, target: str) -> bool:
        """Can somebody still read the history of this target?"""
        if not target.startswith("@"):
            return target in self.rooms
        return all("!" not in who or who in self.guests for who in target[1:].split(","))
