"""Real server processes: what they print, where they leave their files, how they end and with what
status, and what clients see of that.
"""

from __future__ import annotations

import re
import resource
import shutil
import signal
import stat
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import Factory, Protocol
from twisted.python.filepath import FilePath

from chatservice import __version__
from chatservice.networking.certificates import ensure_self_signed, fingerprint_of
from tests.process import (
    Ended,
    ProcessCase,
    new_folder,
    reactor,
    run_twistd,
    start_server,
)
from tests.service import HOST, TLS, Client

DAEMON = ("--pidfile", "twistd.pid")


def fingerprint(client: Client) -> str:
    """The fingerprint of the certificate that a client saw."""
    certificate: Any = client.transport.getPeerCertificate()
    return fingerprint_of(certificate.to_cryptography())


class ForegroundTests(ProcessCase):
    async def test_it_says_how_to_connect_and_serves(self) -> None:
        server = await start_server(self)
        alice = await server.log_in("alice")
        self.assertIn(fingerprint(alice), server.log())
        self.assertTrue((server.folder / "twistd.pid").exists())

    async def test_it_takes_as_many_file_descriptors_as_it_may_have(self) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        server = await start_server(self)
        process = int((server.folder / "twistd.pid").read_text(encoding="ascii"))
        self.assertEqual(resource.prlimit(process, resource.RLIMIT_NOFILE), (hard, hard))

    async def test_sigterm_and_sigint_take_leave_of_everybody_and_clean_up(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            server = await start_server(self)
            alice = await server.log_in("alice")
            stranger = await server.connect()
            await stranger.ask("HELP")
            ended = await server.end(number)
            for client in (alice, stranger):
                lines = await client.closed
                self.assertTrue(lines[-1].startswith("BYE:"), lines)
            # twistd stops in good order, and then dies of the signal that it was sent.
            self.assertEqual(ended.status, -number)
            self.assertIn("Server Shut Down", ended.out)
            self.assertNotIn("Traceback", ended.out)
            self.assertEqual(ended.err, "")
            self.assertFalse((server.folder / "twistd.pid").exists())

    async def test_what_was_said_survives_a_kill_and_the_folder_is_free(self) -> None:
        server = await start_server(self)
        alice = await server.log_in("alice")
        await alice.ask("REGISTER:a long password")
        for request in ("NEWROOM:tea", "JOINROOM:tea", "ROOM:tea:before the kill"):
            self.assertTrue((await alice.ask(request)).startswith("OK:"))
        ended = await server.kill()
        self.assertEqual(ended.status, -signal.SIGKILL)

        server = await start_server(self, folder=server.folder)
        alice = await server.log_in("alice", "a long password")
        await alice.ask("JOINROOM:tea")
        (item,) = await alice.items("HISTORY:tea")
        self.assertTrue(item.endswith(":tea:alice:before the kill"), item)

    async def test_its_port_can_be_bound_again_at_once(self) -> None:
        server = await start_server(self)
        clients = [await server.log_in(nick) for nick in ("alice", "bob")]
        endpoint = f"ssl:{server.port}:interface={HOST}"
        await server.terminate()
        await clients[0].closed
        again = await start_server(self, "--endpoint", endpoint, folder=server.folder)
        self.assertEqual(again.port, server.port)
        await again.log_in("alice")


class DaemonTests(ProcessCase):
    async def test_its_start_is_over_when_it_listens(self) -> None:
        server = await start_server(self, twistd=DAEMON)
        self.assertEqual(await server.exited, 0)
        alice = await server.log_in("alice")
        ended = await server.terminate()
        self.assertEqual((ended.out, ended.err), ("", ""))
        lines = await alice.closed
        self.assertTrue(lines[-1].startswith("BYE:"), lines)
        self.assertIn("Server Shut Down", server.log())
        self.assertFalse((server.folder / "twistd.pid").exists())

    async def test_one_follows_another_on_the_same_port_with_clients_connected(self) -> None:
        first = await start_server(self, twistd=DAEMON)
        endpoint = f"ssl:{first.port}:interface={HOST}"
        alice = await first.log_in("alice")
        await first.terminate()
        await alice.closed
        (first.folder / "twistd.log").unlink()
        second = await start_server(
            self, "--endpoint", endpoint, folder=first.folder, twistd=DAEMON
        )
        await second.log_in("alice")
        await second.terminate()

    async def test_a_start_that_fails_says_so_to_whoever_started_it(self) -> None:
        folder = new_folder(self)
        (folder / "a file").touch()
        ended = await run_twistd(
            self, "chat", "--endpoint", TLS, "--data", "a file/data", folder=folder
        )
        self.assertEqual(ended.status, 1)
        self.assertIn("Not a directory", ended.err)

        server = await start_server(self)
        ended = await run_twistd(
            self, "chat", "--data", "other", "--endpoint", f"ssl:{server.port}:interface={HOST}"
        )
        self.assertEqual(ended.status, 1)
        self.assertIn(f"{HOST}:{server.port}", ended.err)


class CannotStartTests(ProcessCase):
    def assertRefused(self, ended: Ended, *words: str) -> None:
        """It ended with status 1, saying why in one line, without a traceback."""
        self.assertEqual(ended.status, 1, ended)
        self.assertNotIn("Traceback", ended.out + ended.err)
        (why,) = re.findall("the service cannot go on: (.*)", ended.out)
        for word in words:
            self.assertIn(word, why)

    async def test_because_the_port_is_in_use(self) -> None:
        port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface=HOST)
        self.addCleanup(port.stopListening)
        number = port.getHost().port
        ended = await run_twistd(self, "-n", "chat", "--endpoint", f"ssl:{number}:interface={HOST}")
        self.assertRefused(ended, f"{HOST}:{number}", "in use")

    async def test_because_there_is_no_such_port(self) -> None:
        folder = new_folder(self)
        (folder / "chat.toml").write_text('listen = ["tcp:70000:interface=127.0.0.1"]')
        ended = await run_twistd(self, "-n", "chat", "-c", "chat.toml", folder=folder)
        self.assertRefused(ended, "chat.toml: listen: listener 'tcp:70000:", "from 0 to 65535")

    async def test_because_another_server_has_the_data_folder(self) -> None:
        server = await start_server(self, "--data", "data")
        data = str(server.folder / "data")
        ended = await run_twistd(self, "-n", "chat", "--data", data, "--endpoint", TLS)
        self.assertRefused(ended, data, "in use by another server")
        await server.log_in("alice")

    async def test_because_the_data_folder_can_not_be_made(self) -> None:
        folder = new_folder(self)
        (folder / "a file").touch()
        ended = await run_twistd(
            self, "-n", "chat", "--data", "a file/data", "-e", f"tcp:0:interface={HOST}",
            folder=folder,
        )  # fmt: skip
        self.assertRefused(ended, str(folder / "a file/data"), "Not a directory")

    async def test_because_the_journal_is_none(self) -> None:
        folder = new_folder(self)
        (folder / "chat-data").mkdir(0o700)
        (folder / "chat-data" / "journal.sqlite").write_text("this is no database" * 100)
        ended = await run_twistd(self, "-n", "chat", "--endpoint", TLS, folder=folder)
        self.assertRefused(ended, "journal.sqlite", "not a database")


class UsageTests(ProcessCase):
    async def test_what_can_not_be_meant_is_one_message_on_stderr(self) -> None:
        folder = new_folder(self)
        (folder / "bad.toml").write_text("[limits]\nroom = 5\n")
        (folder / "worse.toml").write_text("name = \n")
        for name, text in {
            "ssl": 'listen = ["ssl:abc"]',
            "key": '[tls]\nprivate_key = "nope.pem"',
            "crt": '[tls]\nprivate_key = "key.pem"\ncertificate = "nope.pem"',
            "kind": 'auth = ["nosuch:secret"]',
            "auth": 'auth = ["file:/nonexistent/pw"]',
            "metrics": 'metrics = "tcp:9667"',
        }.items():
            (folder / f"{name}.toml").write_text(text)
        (folder / "key.pem").touch()
        cases = {
            ("-c", "ssl.toml"): "chat: ssl.toml: listen: listener 'ssl:abc': the port is a number",
            ("-c", "key.toml"): "chat: key.toml: tls.private_key: expected a PEM file",
            ("-c", "crt.toml"): "chat: crt.toml: tls.certificate: expected a PEM file",
            ("-c", "kind.toml"): "chat: kind.toml: auth: expected KIND:ARGUMENTS",
            ("-c", "auth.toml"): "auth.toml: auth: expected file:PATH of a file that can be read, "
            "got '/nonexistent/pw'",
            ("-c", "metrics.toml", "-e", TLS): "metrics.toml: metrics: plain text",
            ("--auth", "file:none"): "command line: --auth: expected file:PATH",
            ("-e", "ssl:abc"): "chat: command line: --endpoint: listener 'ssl:abc': the port",
            ("--nope",): "option --nope not recognized",
            ("more",): "Wrong number of arguments",
            ("--endpoint",): "--endpoint",
            ("--endpoint", "bogus:1"): "listener 'bogus:1'",
            ("--endpoint", "klingon@ssl:0"): "expected one of the dialects",
            ("--endpoint", "tcp:6667"): "loopback",
            ("--endpoint", "ssl:6667", "-e", "ssl:6667"): "given more than once",
            ("--endpoint", "ssl:0:privateKey=none.pem"): str(folder / "none.pem"),
            ("--config", "bad.toml"): "bad.toml: limits.room: unknown key",
            ("--config", "worse.toml"): "worse.toml: ",
            ("--config", "none.toml"): "none.toml: can't be read",
            (
                "--store",
                "paper",
            ): 'store: expected "sqlite", "memory" or redis://HOST:PORT/DATABASE',
            ("--metrics", "tcp:9667"): "command line: --metrics: plain text",
            ("--auth", "klingon"): "Auth plugin not recognized: klingon",
        }
        runs = [
            Deferred.fromCoroutine(run_twistd(self, "-n", "chat", *options, folder=folder))
            for options in cases
        ]
        for (options, words), ended in zip(cases.items(), await gatherResults(runs), strict=True):
            self.assertEqual((ended.status, ended.out), (1, ""), options)
            (line,) = ended.err.splitlines()
            self.assertTrue(line.startswith("twistd chat: "), line)
            self.assertIn(words, line)
            self.assertNotIn("secret", line)

    async def test_help_fits_a_terminal(self) -> None:
        ended = await run_twistd(self, "chat", "--help")
        self.assertEqual((ended.status, ended.err), (0, ""))
        for line in ended.out.splitlines():
            self.assertLessEqual(len(line), 80, line)
            # No trace of a docstring's indentation.
            self.assertNotRegex(line.strip(), r"[a-z.;,] {3,}[a-z]+ ")
        for option in ("--endpoint", "--config", "--metrics", "--log-json", "--help-auth"):
            self.assertIn(option, ended.out)

    async def test_version_is_the_services(self) -> None:
        ended = await run_twistd(self, "chat", "--version")
        self.assertEqual(ended.status, 0)
        self.assertIn(f"chatservice {__version__}", ended.out)


class FolderTests(ProcessCase):
    def made(self, folder: Path) -> set[str]:
        return {path.name for path in folder.iterdir()}

    async def test_all_relative_paths_are_relative_to_the_rundir(self) -> None:
        folder = new_folder(self)
        rundir = folder / "run"
        rundir.mkdir()
        ensure_self_signed(FilePath(str(rundir / "tls")), ["chat.example"])
        (folder / "chat.toml").write_text(
            f'data = "data"\nlisten = ["{TLS}", "{TLS}:privateKey=tls/server.key'
            f':certKey=tls/server.crt", "unix:chat.sock"]\n'
        )
        server = await start_server(
            self, "--config", "chat.toml", folder=folder, twistd=("-n", "--rundir", "run")
        )
        await server.logged("listening on unix:chat.sock")
        await server.log_in("alice")
        self.assertLessEqual(
            {"lock", "journal.sqlite", "server.key", "server.crt"}, self.made(rundir / "data")
        )
        self.assertTrue((rundir / "chat.sock").is_socket())
        # twistd's own files are where twistd puts them.
        self.assertEqual(self.made(folder), {"run", "chat.toml", "twistd.pid"})
        match = await server.logged(r"listening on ssl:\S*certKey\S* .* localhost:(\d+)")
        other = await server.connect(port=int(match[1]))
        await other.ask("HELP")
        expected = x509.load_pem_x509_certificate((rundir / "tls/server.crt").read_bytes())
        self.assertEqual(fingerprint(other), fingerprint_of(expected))

    async def test_no_umask_opens_what_it_keeps_to_others(self) -> None:
        server = await start_server(self, twistd=("-n", "--umask", "000"))
        data = server.folder / "chat-data"
        self.assertEqual(stat.S_IMODE(data.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((data / "server.key").stat().st_mode), 0o600)

    async def test_the_pid_file_is_where_it_is_wanted(self) -> None:
        folder = new_folder(self)
        (folder / "run").mkdir()
        server = await start_server(
            self, folder=folder, twistd=("-n", "--pidfile", "here.pid", "--rundir", "run")
        )
        self.assertTrue((folder / "here.pid").read_text().isdecimal())
        await server.terminate()
        self.assertFalse((folder / "here.pid").exists())


class HangupTests(ProcessCase):
    async def test_a_renewed_certificate_is_for_new_connections_and_drops_no_old_one(self) -> None:
        folder = new_folder(self)
        old = ensure_self_signed(FilePath(str(folder / "old")), ["chat.example"])
        new = ensure_self_signed(FilePath(str(folder / "new")), ["chat.example"])
        for name in ("server.key", "server.crt"):
            shutil.copy(folder / "old" / name, folder / name)
        (folder / "chat.toml").write_text(
            f'listen = ["{TLS}:privateKey=server.key:certKey=server.crt"]\ntls.watch_seconds = 0\n'
        )
        server = await start_server(self, "--config", "chat.toml", folder=folder)
        alice = await server.log_in("alice")
        self.assertEqual(fingerprint(alice), _of(old.certificate))

        for name in ("server.key", "server.crt"):
            shutil.copy(folder / "new" / name, folder / name)
        server.send_signal(signal.SIGHUP)
        await server.logged("TLS certificate read from")

        bob = await server.log_in("bob")
        self.assertEqual(fingerprint(bob), _of(new.certificate))
        alice.send("SAY:bob:still here")
        await bob.until("SAY:alice:still here")
        self.assertEqual(fingerprint(alice), _of(old.certificate))

    async def test_one_that_can_not_be_used_changes_nothing(self) -> None:
        server = await start_server(self)
        before = await server.log_in("alice")
        (server.folder / "chat-data" / "server.crt").write_text("half a certificate")
        server.send_signal(signal.SIGHUP)
        await server.logged("The TLS certificate was not renewed")
        after = await server.log_in("bob")
        self.assertEqual(fingerprint(after), fingerprint(before))


class AuthTests(ProcessCase):
    async def test_accounts_may_be_kept_in_a_file(self) -> None:
        folder = new_folder(self)
        (folder / "passwords").write_text("carol:open sesame\n")
        server = await start_server(self, "--auth", "file:passwords", folder=folder)
        carol = await server.log_in("carol", "open sesame")
        await carol.ask("LOGOUT:")
        stranger = await server.connect()
        for attempt, code in (("carol:guess", "BAD_PASSWORD"), ("carol", "NICK_IN_USE")):
            answer = await stranger.ask(f"LOGIN:{attempt}")
            self.assertTrue(answer.startswith(f"ERR:LOGIN:{code}"), answer)
        await server.log_in("dave")


def _of(certificate: FilePath[str]) -> str:
    return fingerprint_of(x509.load_pem_x509_certificate(certificate.getContent()))
