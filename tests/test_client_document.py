"""docs/client.md says what is so: it has every public name of the client library, as it is called,
and no other; its programs run, and the rest of its code does what stands beside it.
"""

from __future__ import annotations

import ast
import inspect
import re
import signal
import sys
from collections.abc import Callable
from math import inf
from pathlib import Path
from types import FunctionType
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase

import chatservice.client as library
from chatservice.client import ChatClientProtocol, Client, Fingerprint, Room
from chatservice.client.link import longer_and_longer
from chatservice.client.pins import Pin, Server
from chatservice.client.stream import QUEUED
from chatservice.config import Config
from chatservice.networking.certificates import fingerprint_of
from chatservice.networking.hall import Patience
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.example_case import ExampleCase, said_in
from tests.process import new_folder
from tests.service import TLS, ServiceCase
from tests.service import Client as LineClient

_FOLDER = Path(__file__).parent.parent / "docs"
_DOCUMENT = (_FOLDER / "client.md").read_text(encoding="utf-8")
_REFERENCE = _DOCUMENT.partition("\n# Reference\n")[2]
_CODE = re.compile(r"(?:^`([\w.]+)`:\n\n)?^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PROGRAMS = {name: code for name, code in _CODE.findall(_DOCUMENT) if name}
FRAGMENTS = [code for name, code in _CODE.findall(_DOCUMENT) if not name]


def section(heading: str) -> str:
    """The text under a heading of the reference."""
    return _REFERENCE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def calls(text: str) -> dict[str, str]:
    """What the first cells of the tables name, and how it is called; "" if that isn't shown."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    written = [call for cell in cells for call in re.findall(r"`(.*?)`", cell)]
    return {call.partition("(")[0]: "".join(call.partition("(")[1:]) for call in written}


def how_to_call(function: Callable[..., object], *left_out: str) -> str:
    """The parameters of a function or a class, as the document writes them."""
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", *left_out)
    ]
    return str(inspect.Signature(parameters)).replace("'", '"')


def public(kind: type, one: object) -> dict[str, Any]:
    """What a class of the library has for others; not what it inherits from Twisted's."""
    classes = [each for each in kind.__mro__ if each.__module__.startswith(library.__name__)]
    names = {name: value for each in reversed(classes) for name, value in vars(each).items()}
    inherited = {"parent", "services", "namedServices"}
    names |= {name: value for name, value in vars(one).items() if name not in inherited}
    return {name: value for name, value in names.items() if not name.startswith("_")}


class ReferenceTests(SynchronousTestCase):
    def test_it_has_every_name_and_no_other(self) -> None:
        classes = {name for name in calls(_REFERENCE) if name[0].isupper()}

        self.assertEqual(classes - set(library.__all__), set())
        for name in library.__all__:
            self.assertRegex(_REFERENCE, rf"(?m)`{name}[`(]|^## {name}$")

    def test_everything_is_called_as_it_says(self) -> None:
        for name, call in calls(_REFERENCE).items():
            if call and name[0].isupper():
                self.assertEqual(call, how_to_call(getattr(library, name)), name)
        client = re.search(r"^`Client(\(.*\))`$", _REFERENCE, re.MULTILINE)
        assert client is not None
        self.assertEqual(client[1], how_to_call(Client))

    def assertHasAll(self, heading: str, there: dict[str, Any]) -> None:
        """The section has each method and each attribute, and says which are not for others."""
        text = section(heading)
        documented = calls(text)
        not_for_others = set(re.findall(r"`(\w+)`", re.split(r"\n\n", text.strip())[-1]))
        attributes = {name for name, call in documented.items() if not call}
        methods = {name: call for name, call in documented.items() if call}

        self.assertEqual(
            methods,
            {
                name: how_to_call(value, "timeout")
                for name, value in there.items()
                if isinstance(value, FunctionType) and name not in not_for_others
            },
        )
        self.assertEqual(
            attributes | set(methods) | not_for_others - {"Client"},
            set(there),
        )

    def test_it_has_every_method_and_attribute_of_a_client(self) -> None:
        client = Client("tls:localhost")
        there = public(Client, client) | {"startService": Client.startService}

        self.assertHasAll("Client", there)

    def test_it_has_every_method_and_attribute_of_a_room(self) -> None:
        room = Room(Client("tls:localhost"), "lobby", "", False, "1", 1)

        self.assertHasAll("Room", public(Room, room))

    def test_its_requests_take_a_timeout(self) -> None:
        for kind in (Client, Room):
            for name in calls(section(kind.__name__)):
                method = getattr(kind, name, None)
                if inspect.iscoroutinefunction(method) and name != "close":
                    self.assertIn("timeout", inspect.signature(method).parameters, name)

    def test_it_names_the_attributes_of_errors(self) -> None:
        server = Server.of("localhost", 6667)
        untrusted = library.Untrusted(server, "AA:BB", "it is another")
        changed = library.PinChanged(Pin(server, "AA:BB", Path("known_servers"), 1), "CC:DD")
        for error, known in (
            (library.Refused("TOO_FAST", "slowly"), {}),
            (library.BadEndpoint("tls:", "a host"), {}),
            (untrusted, {}),
            (changed, vars(untrusted)),
        ):
            name = type(error).__name__
            row = re.search(rf"^\| `{name}` \| (.*) \|$", _REFERENCE, re.MULTILINE)
            assert row is not None, name
            for attribute in vars(error).keys() - known.keys():
                self.assertIn(f"`{attribute}`", row[1])

    def test_whatever_it_says_of_a_class_is_there(self) -> None:
        for name, attribute in re.findall(r"`(\w+)\.(\w+)", _DOCUMENT):
            owner = {"client": Client, "room": Room}.get(name) or getattr(library, name, None)
            if owner in (Client, Room):
                one = public(owner, Room(Client("tls:localhost"), "lobby", "", False, "1", 1))
                there = one | public(Client, Client("tls:localhost")) if owner is Client else one
                self.assertIn(attribute, there, name)

    def test_its_error_codes_are_the_protocols(self) -> None:
        for code in re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", _DOCUMENT):
            if not code.startswith(("SSL_", "CHAT_", "XDG_", "NO_COLOR")):  # of the environment
                self.assertIn(code, pb.Error.Code.keys())

    def test_its_figures_are_the_defaults(self) -> None:
        limits, patience = Config().limits, Patience()
        longest = [longer_and_longer(failures) for failures in range(1, 101)]

        self.assertLessEqual(max(longest), 30)
        self.assertLessEqual(longest[0], 0.75)
        self.assertEqual(patience.idle, 15 * 60)
        self.assertEqual(limits.sendq_bytes, 1 << 20)
        for number, words in (
            (int(limits.messages_per_second), "({} unless its operator says otherwise"),
            (limits.message_burst, "after a rest {} at once"),
            (QUEUED, "{:,} messages wait"),
        ):
            self.assertIn(words.format(number), _DOCUMENT)

    def test_its_links_lead_somewhere(self) -> None:
        headings = re.findall(r"^##?#? (.*)$", _DOCUMENT, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
        for link in re.findall(r"\]\(([^)]*)\)", _DOCUMENT):
            file, _, anchor = link.partition("#")
            if link.startswith("#"):
                self.assertIn(anchor, anchors)
            elif not link.startswith("https:"):
                self.assertTrue((_FOLDER / file).exists(), link)


class Greeted(Client):
    """
    A client that remembers what the server has said first.

    @ivar hello: that.
    """

    hello: pb.Hello

    def greeted(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        self.hello = hello
        super().greeted(protocol, hello)


class FragmentsTests(ServiceCase):
    async def test_they_do_what_is_said_beside_them(self) -> None:
        service = await self.serve(listen=(TLS,))
        bob = await service.log_in("bob")
        certificate: Any = bob.transport.getPeerCertificate()
        shown = fingerprint_of(certificate.to_cryptography())
        place = f"tls:localhost:{service.ports[0]}"
        client = Greeted(place, trust=Fingerprint(shown))
        async with client:
            reading = await self.try_all(client, bob)
            self.assertIn(f"A text of {client.hello.max_text_bytes:,} bytes", _DOCUMENT)
        await gatherResults(reading)

    async def try_all(self, client: Client, bob: LineClient) -> list[Deferred[None]]:
        """Does all that they do; what goes on reading is given back."""
        there: dict[str, Any] = {name: getattr(library, name) for name in library.__all__}
        there |= {"client": client, "sys": sys, "inf": inf, "Deferred": Deferred}
        there["gatherResults"] = gatherResults
        for fragment in FRAGMENTS:
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile(fragment, "docs/client.md", "exec", flags, dont_inherit=True)
            running = eval(code, there)
            if inspect.iscoroutine(running):
                await running

        self.assertEqual(there["identity"].nick, "alice")
        self.assertEqual((there["nicks"], there["names"]), (["alice"], ["lobby"]))
        self.assertEqual(there["topic"].text, "release at 17:00")
        after = await there["since"](there["room"], there["stored"].id)
        self.assertEqual([message.text for message in after], ["is at work", "the disk is full"])
        self.assertIn("SAY:alice:just for you", bob.seen)
        there["stop"]()

        reading = [
            Deferred.fromCoroutine(there["listen_to_all"]([there["room"]])),
            Deferred.fromCoroutine(there["answer"](client)),
        ]
        await bob.ask("JOINROOM:lobby")
        bob.send("ROOM:lobby:!ping", "SAY:alice:who are you?")
        for answer in ("ROOM:lobby:alice:bob: pong", "SAY:alice:I am a program"):
            while answer not in bob.seen:
                await bob.line()
        # Whatever was said before has its answer now.
        await client.list_rooms()
        return reading


class ProgramsTests(ExampleCase):
    def write(self, name: str, old: str = "", new: str = "") -> Path:
        """Writes a program of the document, changed in one place, into a folder of its own."""
        folder = new_folder(self)
        (folder / name).write_text(PROGRAMS[name].replace(old, new), encoding="utf-8")
        return folder

    def test_there_are_no_others(self) -> None:
        self.assertEqual(
            set(PROGRAMS), {"first.py", "clock.tac", "with_asyncio.py", "test_pong.py"}
        )

    async def test_the_first_says_hello_and_waits_for_an_answer(self) -> None:
        town = await self.town()
        ann = await town.resident("ann", "lobby")
        folder = self.write("first.py")
        program = self.run_python(folder, "first.py", town.place, "alice")
        await self.heard(ann, "ROOM:lobby:alice:hello, everybody")
        ann.send("ROOM:lobby:hello, alice")

        ended = await program.ended
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertRegex(
            ended.out,
            r"^\d\d:\d\d <alice> hello, everybody\n\d\d:\d\d <ann> hello, alice\n$",
        )
        self.assertTrue((folder / "known_servers").exists())

    async def test_the_service_of_twistd_tells_the_time(self) -> None:
        town = await self.town()
        ann = await town.resident("ann", "lobby")
        folder = self.write("clock.tac", "tls:localhost:6667", town.place)
        twistd = "from twisted.scripts.twistd import run; run()"
        self.run_python(folder, "-c", twistd, "-ny", "clock.tac")
        await self.heard(ann, "JOINED:lobby:clock")
        ann.send("ROOM:lobby:!time")
        answer = await self.while_it_runs(ann.until("ROOM:lobby:clock:"))
        self.assertRegex(answer, r":\d\d:\d\d$")

        ended = await self.example.end(signal.SIGTERM)
        self.assertNotIn("Traceback", ended.out + ended.err)
        await ann.until("LEFT:lobby:clock")

    async def test_asyncio_and_the_library_wait_for_each_other(self) -> None:
        town = await self.town()
        ann = await town.resident("ann", "lobby")
        program = self.run_python(
            self.write("with_asyncio.py"), "with_asyncio.py", town.place, "bot"
        )

        ended = await program.ended
        self.assertEqual((ended.status, ended.out, ended.err), (0, "", ""))
        self.assertEqual(await said_in(ann, "lobby"), [("bot", "sunny")])

    async def test_the_test_of_a_bot_passes(self) -> None:
        folder = self.write("test_pong.py")
        ended = await self.run_python(folder, "-m", "twisted.trial", "test_pong").ended

        self.assertEqual(ended.status, 0, ended.out + ended.err)
        self.assertIn("PASSED (successes=1)", ended.out)
