"""
The service tree, put together: the one place that knows everybody. It reads top to bottom: the
journal, the controller, accounts, the network, and what watches them. No behaviour lives here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath

from . import __version__
from .authentication.login import Authenticator
from .authentication.passwords import Passwords
from .authentication.portal import make_portal
from .authentication.throttle import Throttle
from .config import Config, ConfigError, Limits
from .controller.controller import Controller
from .controller.desk import Desk, Flow, NoCards
from .controller.errors import BadNick
from .controller.names import NameRules
from .controller.policy import Policy
from .controller.rate import Allowance
from .delivery import Delivery
from .journal.commit import GroupCommit
from .journal.interface import Retention
from .journal.retention import Forgetting
from .networking.admission import Admission
from .networking.certificates import BadCertificate, CertificateFiles, ensure_self_signed
from .networking.cloaks import Cloaks
from .networking.connections import ConnectionFactory, Connections
from .networking.contexts import CertificateWatch, ContextPool
from .networking.gateways import Gateways, Networks
from .networking.hall import Hall, Patience
from .networking.listeners import BadListener, ListenerSpec, make_listener, parse_listener
from .networking.listening import Listening
from .networking.outbox import Outboxes
from .nodes.nodes import Nodes
from .presentation import make_about, make_sts, renew_motd
from .signals import OnHangup
from .stores import make_store
from .supervision import Supervisor
from .translation.about import Counts
from .translation.registry import Dialects

if TYPE_CHECKING:
    from .metrics import Metrics

_HOUR = 3600.0
_DAY = 86400.0

_LEAVE_SECONDS = 10.0
"""How long a node that stops may take to log its users out."""


def make_chat_service(
    reactor: Any,
    config: Config,
    outside: Sequence[ICredentialsChecker] = (),
    *,
    folder: Path = Path(),
    on_give_up: Callable[[Failure], None] | None = None,
) -> Supervisor:
    """
    The whole service, not started yet.

    @param reactor: everything's clock, threads and sockets.
    @param outside: checkers for accounts that are kept elsewhere (`--auth`).
    @param folder: what the paths in the settings are relative to.
    @param on_give_up: hears why, if the service cannot go on.
    @raise ConfigError: a setting cannot be used.
    """
    config = _anchored(config, folder.absolute())
    limits = config.limits
    root = Supervisor(reactor, intensity=1, period=5.0, on_give_up=on_give_up)
    rules = NameRules(limits.nick_characters, limits.room_characters)
    metrics = _make_metrics(config)

    store = make_store(reactor, config, folder.absolute(), metrics)
    secret, shared = store.secret, store.shared
    if store.folder is not None:
        root.supervise(store.folder, name="data folder")
    journal = GroupCommit(reactor, store.journal, observer=metrics)
    root.supervise(journal, name="journal")
    root.supervise(secret, name="secret")

    outboxes = Outboxes(reactor)
    delivery = Delivery(outboxes.flush)
    policy = _make_policy(config, rules)
    controller = Controller(journal, delivery, policy, alone=shared is None)
    root.supervise(controller, name="controller")
    if shared is not None:
        lease = config.redis.lease_seconds
        nodes = Nodes(reactor, controller, delivery, shared.name, shared.leases, lease)
        root.supervise(nodes, name="nodes", shutdown=_LEAVE_SECONDS)

    passwords = Passwords(reactor)
    root.supervise(_PasswordThreads(passwords), name="passwords")

    def verifier_of(key: str) -> str | None:
        account = controller.state.accounts.get(key)
        return account.verifier or None if account is not None else None

    def account_of_certificate(fingerprint: str) -> str | None:
        return controller.state.certificates.get(fingerprint)

    portal = make_portal(verifier_of, passwords, outside, rules)
    cards = shared.cards(lambda: controller.node) if shared is not None else NoCards()
    desk = Desk(
        clock=reactor,
        controller=controller,
        presence=delivery,
        authenticator=Authenticator(
            portal,
            Throttle(reactor),
            reactor,
            rules,
            verifier_of=verifier_of,
            account_of_certificate=account_of_certificate,
            digest=secret.digest,
        ),
        hasher=passwords,
        registrations=Allowance(
            limits.registrations_per_hour / _HOUR, limits.registrations_per_hour
        ),
        flow=Flow(limits.messages_per_second, limits.message_burst, limits.refusals_before_close),
        cloak=Cloaks(secret.digest).of,
        cards=cards,
    )

    networking = Supervisor(reactor, intensity=10, period=60.0)
    root.supervise(networking, name="networking")
    admission = Admission(
        reactor,
        connections=limits.connections,
        connections_per_address=limits.connections_per_address,
        new_connections_per_minute=limits.new_connections_per_minute,
        exempt=limits.exempt_addresses,
    )
    connections = Connections(reactor, admission, journal.drain, limits.stop_seconds)
    networking.supervise(connections, name="connections", shutdown=2 * limits.stop_seconds + 1)
    dialects = Dialects.installed()
    about = make_about(config, reactor.seconds())
    about.counts = lambda: Counts(len(connections), connections.most)
    hall = Hall(
        clock=reactor,
        desk=desk,
        registry=connections,
        outboxes=outboxes,
        dialects=dialects,
        patience=_make_patience(limits),
        server_name=config.name,
        version=__version__,
        about=about,
        gateways=Gateways(config.irc.webirc_addresses, config.irc.webirc_password),
    )
    contexts = ContextPool(_certificate_finder(config), dialects.alpn)
    try:
        listeners = _make_listeners(reactor, config, hall, admission, contexts, folder)
    except BadListener as bad:
        raise ConfigError([f"{config.origin('listen')}: {bad}"]) from None
    except BadCertificate as bad:
        raise _bad_default(config, bad) from None
    about.sts = make_sts(config, [listening.listener for listening in listeners])
    for listener in listeners:
        networking.supervise(listener, name=str(listener))
    certificates = CertificateWatch(reactor, contexts, config.tls.watch_seconds)
    networking.supervise(certificates, name="certificates")

    def rehash() -> None:
        certificates.reload()
        renew_motd(about, config.motd)

    about.rehash = rehash
    networking.supervise(OnHangup(reactor, rehash), name="hangup")

    retention = Retention(config.journal.keep_days * _DAY, config.journal.keep_messages)
    forgetting = Forgetting(reactor, journal, retention, config.journal.prune_seconds)
    root.supervise(forgetting, name="retention")

    if metrics is not None:
        metrics.measure(root, controller, delivery, connections)
        root.supervise(_serve_metrics(reactor, config, contexts, metrics, folder), name="metrics")
    return root


def _anchored(config: Config, folder: Path) -> Config:
    """The same settings, with absolute paths: the process may yet change its folder."""
    tls = config.tls
    return replace(
        config,
        data=folder / config.data,
        motd=config.motd and folder / config.motd,
        tls=replace(
            tls,
            private_key=tls.private_key and folder / tls.private_key,
            certificate=tls.certificate and folder / tls.certificate,
            chain=tls.chain and folder / tls.chain,
        ),
    )


def _make_policy(config: Config, rules: NameRules) -> Policy:
    limits = config.limits
    return Policy(
        names=rules,
        accounts=limits.accounts,
        rooms=limits.rooms,
        rooms_per_user=limits.rooms_per_user,
        rooms_owned_per_user=limits.rooms_owned_per_user,
        members_per_room=limits.members_per_room,
        invitations_per_room=limits.invitations_per_room,
        history_messages=limits.history_messages,
        history_bytes=limits.sendq_bytes,
        text_bytes=limits.line_bytes,
        operators=_make_operators(config, rules),
    )


def _make_operators(config: Config, rules: NameRules) -> frozenset[str]:
    try:
        return frozenset(rules.nick(account).key for account in config.operators)
    except BadNick as bad:
        where = config.origin("operators")
        raise ConfigError([f"{where}: expected names that accounts can have: {bad}"]) from None


def _make_patience(limits: Limits) -> Patience:
    return Patience(
        handshake=limits.handshake_seconds,
        login=limits.login_seconds,
        idle=limits.idle_seconds,
        ping=limits.ping_seconds,
        line=limits.line_bytes,
        sendq=limits.sendq_bytes,
    )


def _make_listeners(
    reactor: Any,
    config: Config,
    hall: Hall,
    admission: Admission,
    contexts: ContextPool,
    folder: Path,
) -> list[Listening]:
    listeners = []
    for text in config.listen:
        if config.listen.count(text) > 1:
            raise BadListener(text, "it is given more than once")
        spec = parse_listener(text)
        fixed = hall.dialects.named(spec.dialect) if spec.dialect else None
        if spec.dialect and fixed is None:
            known = ", ".join(sorted(dialect.name for dialect in hall.dialects))
            raise BadListener(text, f"expected one of the dialects {known} before the @")
        listener = make_listener(
            reactor,
            spec,
            contexts,
            allow_plain_text=config.allow_plain_text,
            folder=folder,
            proxies=Networks(config.trusted_proxies),
        )
        factory = ConnectionFactory(hall, admission, fixed, listener.tls is not None)
        listeners.append(Listening(listener, factory, reactor, config.origin("listen")))
    return listeners


def _make_metrics(config: Config) -> Metrics | None:
    if config.metrics is None:
        return None
    # Who does not ask for figures does not pay for the library.
    from .metrics import Metrics  # noqa: PLC0415

    return Metrics(__version__)


def _serve_metrics(
    reactor: Any, config: Config, contexts: ContextPool, metrics: Metrics, folder: Path
) -> Listening:
    assert config.metrics is not None
    try:
        listener = make_listener(
            reactor,
            ListenerSpec(None, config.metrics),
            contexts,
            allow_plain_text=config.allow_plain_text,
            folder=folder,
            proxies=Networks(config.trusted_proxies),
        )
    except BadListener as bad:
        where = config.origin("metrics")
        raise ConfigError([f"{where}: {bad.expected}, got {config.metrics!r}"]) from None
    except BadCertificate as bad:
        raise _bad_default(config, bad) from None
    return Listening(listener, metrics.site(), reactor, config.origin("metrics"))


def _certificate_finder(config: Config) -> Callable[[], CertificateFiles]:
    """
    Where the certificate of listeners that name none is: the configured one, or a self-signed one.
    """
    tls = config.tls

    def find() -> CertificateFiles:
        if tls.private_key is None:
            try:
                return ensure_self_signed(_file(config.data), [config.name])
            except OSError as error:
                raise BadCertificate(
                    f"a certificate cannot be made in {config.data}: {error.strerror}"
                ) from None
        return CertificateFiles(
            _file(tls.private_key),
            _file(tls.certificate or tls.private_key),
            _file(tls.chain) if tls.chain else None,
        )

    return find


def _bad_default(config: Config, bad: BadCertificate) -> ConfigError:
    """Words for the certificate of listeners that name none: the setting that led to it."""
    tls = config.tls
    if tls.private_key is None:
        key, expected = "data", "a folder for a certificate, or one that is whole"
    elif tls.chain is not None and str(tls.chain) in str(bad):
        key, expected = "tls.chain", "a PEM file with certificates"
    elif tls.certificate is not None and str(tls.certificate) in str(bad):
        key, expected = "tls.certificate", "a PEM file with the certificate of tls.private_key"
    else:
        key, expected = "tls.private_key", "a PEM file with a private key and its certificate"
    return ConfigError([f"{config.origin(key)}: expected {expected}: {bad}"])


def _file(path: Path) -> FilePath[str]:
    return FilePath(str(path))


class _PasswordThreads(Service):
    """The threads that passwords are hashed in, as a supervised child."""

    def __init__(self, passwords: Passwords) -> None:
        self._passwords = passwords

    def startService(self) -> None:
        super().startService()
        self._passwords.start()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return self._passwords.stop()
