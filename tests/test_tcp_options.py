"""The kernel sends at once, and notices peers that vanished without a word."""

from __future__ import annotations

import socket

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.tcp_options import set_tcp_options


class Wrapper:
    """Something that stands before a transport, as TLS does."""

    def __init__(self, transport: object) -> None:
        self.transport = transport


class Transport:
    """A transport with a real socket."""

    def __init__(self, handle: socket.socket) -> None:
        self.socket = handle


class TCPOptionsTests(SynchronousTestCase):
    def make_socket(self, family: int) -> socket.socket:
        handle = socket.socket(family)
        self.addCleanup(handle.close)
        return handle

    def test_a_tcp_peer_that_is_gone_is_found_out_within_two_minutes(self) -> None:
        handle = self.make_socket(socket.AF_INET)

        set_tcp_options(Wrapper(Wrapper(Transport(handle))))

        self.assertTrue(handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        tcp = socket.IPPROTO_TCP
        silence = handle.getsockopt(tcp, socket.TCP_KEEPIDLE)
        probing = handle.getsockopt(tcp, socket.TCP_KEEPINTVL)
        probes = handle.getsockopt(tcp, socket.TCP_KEEPCNT)
        self.assertLessEqual(silence + probing * probes, 120)
        self.assertEqual(handle.getsockopt(tcp, socket.TCP_USER_TIMEOUT), 120_000)

    def test_small_writes_do_not_wait_for_acknowledgements(self) -> None:
        handle = self.make_socket(socket.AF_INET)

        set_tcp_options(Transport(handle))

        self.assertTrue(handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    def test_other_transports_are_left_alone(self) -> None:
        handle = self.make_socket(socket.AF_UNIX)

        set_tcp_options(Transport(handle))
        set_tcp_options(StringTransport())

        self.assertFalse(handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
