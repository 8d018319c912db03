"""
What others see in the place of a client's address: the same for the same address, and nothing from
which the address could be told by anybody without the service's secret.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

_CHARACTERS = 13  # 65 bits
_SUFFIX = ".ip"


class Cloaks:
    """
    @param digest: a keyed hash of a purpose and a text: without its key, all addresses could be
        tried until one has the cloak that is seen.
    """

    def __init__(self, digest: Callable[[str, str], bytes]) -> None:
        self._digest = digest

    def of(self, address_group: str) -> str:
        """
        @param address_group: an address as limits count it, so that nobody gets another cloak by
            going to another address of the same network.
        @return: thirteen lower-case letters and digits of base32 (RFC 4648 section 6) and ".ip".
        """
        digest = self._digest("cloak", address_group)
        return base64.b32encode(digest)[:_CHARACTERS].decode("ascii").lower() + _SUFFIX
