"""
Standard input and output on the reactor: lines as they are wanted, writing as fast as somebody
reads, and noticing that nobody does any more.
"""

from __future__ import annotations

import os
import pty
import select
import termios
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from chatservice.terminal.prompt import Prompt
from chatservice.terminal.standard import Input, Output, OutputClosed
from tests.process import PATIENCE
from tests.service import turn, until

reactor: Any = _reactor


class StandardCase(TestCase):
    timeout = PATIENCE

    def pipe(self) -> tuple[int, int]:
        """Its ends for reading and writing."""
        reading, writing = os.pipe()
        return self.opened(reading), self.opened(writing)

    def terminal(self) -> tuple[int, int]:
        """Its ends for whoever types, and for the program."""
        controller, terminal = pty.openpty()
        return self.opened(controller), self.opened(terminal)

    def opened(self, descriptor: int) -> int:
        """Closes it after the test, unless `close` did."""
        self._open = {*getattr(self, "_open", ()), descriptor}
        self.addCleanup(self.close, descriptor)
        return descriptor

    def close(self, descriptor: int) -> None:
        # Somebody else may have its number by now.
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)


class InputTests(StandardCase):
    def setUp(self) -> None:
        self.reading, self.writing = self.pipe()
        self.input = Input(reactor, self.reading)

    async def test_lines_come_whole_however_they_were_written(self) -> None:
        line = Deferred.fromCoroutine(self.input.line())
        os.write(self.writing, b"za")
        await turn()
        self.assertNoResult(line)
        os.write(self.writing, "żółć\r\n\nthree\nfo".encode())
        self.assertEqual(await line, "zażółć")
        self.assertEqual([await self.input.line() for _ in range(2)], ["", "three"])

    async def test_the_last_line_needs_no_end(self) -> None:
        os.write(self.writing, b"one\ntwo")
        self.close(self.writing)
        lines = [await self.input.line() for _ in range(4)]
        self.assertEqual(lines, ["one", "two", None, None])

    async def test_an_end_that_comes_later_is_one_too(self) -> None:
        line = Deferred.fromCoroutine(self.input.line())
        await turn()
        self.close(self.writing)
        self.assertIsNone(await line)

    async def test_what_is_no_text_can_be_read(self) -> None:
        os.write(self.writing, b"caf\xe9\n")
        self.assertEqual(await self.input.line(), "caf\ufffd")

    async def test_nothing_is_read_that_nobody_wants(self) -> None:
        os.write(self.writing, b"one\n")
        self.assertEqual(await self.input.line(), "one")
        os.write(self.writing, b"for somebody else\n")
        await turn()
        self.assertEqual(os.read(self.reading, 100), b"for somebody else\n")

    async def test_who_waits_can_be_told_that_it_is_enough(self) -> None:
        line = Deferred.fromCoroutine(self.input.line())
        self.input.end()
        self.assertIsNone(await line)
        self.assertNotIn(self.input, reactor.getReaders())

    async def test_a_file_can_be_read(self) -> None:
        file = Path(self.mktemp())
        file.write_text("one\ntwo\n", encoding="utf-8")
        lines = Input(reactor, self.opened(os.open(file, os.O_RDONLY)))
        self.assertEqual([await lines.line() for _ in range(3)], ["one", "two", None])


class OutputTests(StandardCase):
    def setUp(self) -> None:
        self.reading, self.writing = self.pipe()
        self.output = Output(reactor, self.writing)

    async def test_it_writes_in_order(self) -> None:
        for line in (b"one\n", b"two\n"):
            await self.output.show(line)
        await self.output.flush()
        self.assertEqual(os.read(self.reading, 100), b"one\ntwo\n")

    async def test_who_writes_waits_for_a_slow_reader_and_the_reactor_does_not(self) -> None:
        written = bytes(range(256)) * 4096
        showing = Deferred.fromCoroutine(self.output.show(written))
        for _ in range(100):  # more than a pipe takes
            await turn()
        self.assertNoResult(showing)
        read = bytearray()
        while len(read) < len(written):
            await until(lambda: _is_readable(self.reading))
            read += os.read(self.reading, 65_536)
        self.assertEqual(read, written)
        await showing
        await self.output.flush()

    async def test_a_reader_who_goes_is_noticed_by_whoever_writes(self) -> None:
        self.close(self.reading)
        await self.output.show(b"x")
        await self.assertFailure(Deferred.fromCoroutine(self.output.flush()), OutputClosed)
        await self.assertFailure(Deferred.fromCoroutine(self.output.show(b"y")), OutputClosed)

    async def test_and_before_anybody_writes_by_whoever_watches(self) -> None:
        watch = self.output.watch()
        await turn()
        self.assertNoResult(watch)
        self.close(self.reading)
        await self.assertFailure(watch, OutputClosed)

    async def test_who_watches_no_more_leaves_nothing_behind(self) -> None:
        watch = self.output.watch()
        watch.cancel()
        self.failureResultOf(watch)
        self.assertNotIn(self.output, reactor.getReaders())

    async def test_what_can_be_both_read_and_written_is_not_watched(self) -> None:
        _, terminal = self.terminal()
        output = Output(reactor, terminal)
        output.watch()
        self.assertNotIn(output, reactor.getReaders())

    async def test_a_file_can_be_written(self) -> None:
        file = Path(self.mktemp())
        output = Output(reactor, self.opened(os.open(file, os.O_WRONLY | os.O_CREAT)))
        await output.show(b"x" * 100_000)
        await output.flush()
        self.assertEqual(file.stat().st_size, 100_000)


def _is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


class PromptTests(StandardCase):
    def setUp(self) -> None:
        self.controller, self.typed = self.terminal()
        self.shown: list[str] = []
        self.prompt = Prompt(Input(reactor, self.typed), self.shown.append)

    def is_hidden(self) -> bool:
        return not termios.tcgetattr(self.typed)[3] & termios.ECHO

    async def test_what_is_typed_is_not_shown_while_it_asks(self) -> None:
        asking = Deferred.fromCoroutine(self.prompt("A password: "))
        self.assertTrue(self.is_hidden())
        self.assertEqual(self.shown, ["A password: "])
        os.write(self.controller, b"open sesame\n")
        self.assertEqual(await asking, "open sesame")
        self.assertFalse(self.is_hidden())
        self.assertEqual(self.shown, ["A password: ", "\n"])

    async def test_the_end_of_the_input_is_no_answer(self) -> None:
        asking = Deferred.fromCoroutine(self.prompt("A password: "))
        os.write(self.controller, b"\x04")
        self.assertEqual(await asking, "")

    async def test_who_is_interrupted_sees_again_what_is_typed(self) -> None:
        asking = Deferred.fromCoroutine(self.prompt("A password: "))
        asking.cancel()
        self.failureResultOf(asking)
        self.assertFalse(self.is_hidden())
