"""Webhooks go where they may, to the address that was checked, and never for long."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.exceptions import ValidationError

from jobs.notifications import webhook_addresses, webhook_post
from jobs.notifications.webhook_addresses import AddressRefused, check_address, is_allowed
from jobs.notifications.webhook_post import MAX_ANSWER_BYTES, NotPosted, post
from tests.scripted_worker import Said, ScriptedWorker

Behaviour = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def receiver(settings: Any) -> Iterator[ScriptedWorker]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with ScriptedWorker() as server:
        yield server


@pytest.fixture
def listen(settings: Any) -> Iterator[Callable[[Behaviour], str]]:
    """Start a server that treats each connection as told; return its address."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    closing_down = threading.Event()
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(behave: Behaviour) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            with closing(server), server.accept()[0] as peer:
                try:
                    behave(peer, closing_down)
                except OSError:
                    pass  # it went away

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/"

    yield start
    closing_down.set()
    for thread in threads:
        thread.join()


# Where they may go ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1",
        "0.0.0.0", "0.1.2.3", "169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1", "::",
        "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "2002:7f00:1::", "2001::1", "not an address",
    ],
)  # fmt: skip
def test_addresses_that_are_not_of_the_public_internet_are_refused(address: str) -> None:
    assert not is_allowed(address, private=False)


def test_public_addresses_are_allowed_and_private_ones_where_the_installation_says_so() -> None:
    assert all(is_allowed(address, private=False) for address in ("93.184.216.34", "2606:4700::1111"))
    own = ("127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "fd00::1")
    assert all(is_allowed(address, private=True) for address in own)
    never = ("169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1", "255.255.255.255")
    assert not any(is_allowed(address, private=True) for address in never)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "example.org",
        "https://", "https:///path", "https://a:b@example.org/", "https://@example.org/", "https://example.org:0/",
        "https://example.org:99999/", "https://127.0.0.1/", "https://[::1]/", "https://[fe80::1%25eth0]/",
        "https://exa mple.org/", "https://example.org/\r\nX: y", "https://example.org\\@127.0.0.1/", "https://[::1/",
    ],
)  # fmt: skip
def test_an_address_that_no_webhook_may_have_is_refused_when_it_is_entered(url: str) -> None:
    with pytest.raises(ValidationError):
        check_address(url)


def test_an_ordinary_address_is_taken(settings: Any) -> None:
    check_address("https://example.org:8443/hooks/1?key=a%20b")
    settings.WEBHOOK_ALLOW_PRIVATE = True
    check_address("http://127.0.0.1:9000/hook")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "127.1", "[::1]"])
def test_this_machine_by_whatever_name_is_not_spoken_to(
    host: str, receiver: ScriptedWorker, settings: Any
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = False
    port = receiver.server.server_address[1]
    with pytest.raises(AddressRefused):
        post(f"https://{host}:{port}/", b"{}", {}, 5.0)
    assert not receiver.heard


def test_a_name_is_looked_up_once_and_what_was_checked_is_spoken_to(
    receiver: ScriptedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name leads to an allowed address when it is checked, and elsewhere a moment later."""
    port = receiver.server.server_address[1]
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]]
    real = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        return answers.pop() if host == "rebind.example" else real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    receiver.script["POST /x"] = Said(200, "ok")
    assert post(f"http://rebind.example:{port}/x", b"{}", {}, 5.0).status == 200
    assert receiver.heard[0].headers["Host"] == f"rebind.example:{port}"
    assert not answers, "looked up once"


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 443)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(webhook_addresses.socket, "getaddrinfo", lambda *args, **kwargs: found)
    with pytest.raises(AddressRefused):
        post("https://mixed.example/", b"{}", {}, 5.0)


# How they are sent ---------------------------------------------------------------------------------
def test_a_redirect_is_not_followed(receiver: ScriptedWorker) -> None:
    receiver.script["POST /a"] = Said(307, "", {"Location": f"{receiver.url}/b"})
    assert post(f"{receiver.url}/a", b"{}", {}, 5.0).status == 307
    assert [heard.path for heard in receiver.heard] == ["/a"]


def test_proxies_of_the_environment_are_not_used(
    receiver: ScriptedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    receiver.script["POST /"] = Said(204)
    assert post(receiver.url, b"{}", {}, 5.0).status == 204


def test_no_more_than_the_beginning_of_an_answer_is_read(listen: Callable[[Behaviour], str]) -> None:
    def flood(peer: socket.socket, closing_down: threading.Event) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000)

    assert post(listen(flood), b"{}", {}, 5.0).text == "x" * MAX_ANSWER_BYTES


def hang(peer: socket.socket, closing_down: threading.Event) -> None:
    closing_down.wait()


def trickle(peer: socket.socket, closing_down: threading.Event) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    drip(peer, b"y", closing_down)


def trickle_lines(peer: socket.socket, closing_down: threading.Event) -> None:
    drip(peer, b"HTTP/1.1 100 Continue\r\n\r\n", closing_down)


def drip(peer: socket.socket, drop: bytes, closing_down: threading.Event) -> None:
    """Longer than anybody should listen, also on a slow machine, and not for ever."""
    until = time.monotonic() + 30
    while not closing_down.wait(0.05) and time.monotonic() < until:
        peer.sendall(drop)


@pytest.mark.parametrize("behave", [hang, trickle, trickle_lines])
def test_a_receiver_that_never_finishes_is_left_in_time(
    behave: Behaviour, listen: Callable[[Behaviour], str]
) -> None:
    """Had it finished first, the reason would be another."""
    with pytest.raises(NotPosted, match="no response within"):
        post(listen(behave), b"{}", {}, 0.6)


def test_a_body_that_never_ends_does_not_change_what_the_answer_is(
    listen: Callable[[Behaviour], str],
) -> None:
    def endless(peer: socket.socket, closing_down: threading.Event) -> None:
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nso far")
        closing_down.wait()

    answer = post(listen(endless), b"{}", {}, 0.6)
    assert (answer.status, answer.text) == (202, "so far")


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_answer_in_http_is_told_in_words(said: bytes, listen: Callable[[Behaviour], str]) -> None:
    with pytest.raises(NotPosted, match="response"):
        post(listen(lambda peer, _: peer.sendall(said)), b"{}", {}, 5.0)


def test_where_nobody_listens_the_reason_is_told(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with pytest.raises(NotPosted, match="refused"):
        post("http://127.0.0.1:9/", b"{}", {}, 5.0)


# TLS -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for hook.example, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hook.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hook.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "hook.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    )
    return path


@pytest.fixture
def secure(
    certificate: Path, listen: Callable[[Behaviour], str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """Start a server with that certificate, to which every name leads; return an address at `host`."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **kwargs: real("127.0.0.1", *args, **kwargs)
    )

    def answer(peer: socket.socket, closing_down: threading.Event) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with context.wrap_socket(peer, server_side=True) as secured:
            asked = ""
            while not asked.endswith("{}"):  # all of it: who closes before that resets the connection
                asked += secured.recv(4096).decode()
            host = next(line for line in asked.split("\r\n") if line.startswith("Host:"))
            secured.sendall(f"HTTP/1.1 200 OK\r\n\r\n{host}".encode())

    return lambda host: listen(answer).replace("http://127.0.0.1", f"https://{host}")


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


def test_a_certificate_is_checked_by_the_name_though_the_address_is_spoken_to(
    secure: Callable[[str], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_post, "_tls", lambda: trusting(certificate))
    url = secure("hook.example")
    assert post(url, b"{}", {}, 5.0).text == f"Host: {url.removeprefix('https://').strip('/')}"
    with pytest.raises(NotPosted, match="certificate rejected"):
        post(secure("other.example"), b"{}", {}, 5.0)


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: Callable[[str], str]) -> None:
    with pytest.raises(NotPosted, match="certificate rejected"):
        post(secure("hook.example"), b"{}", {}, 5.0)


def test_a_server_without_tls_is_not_told(
    receiver: ScriptedWorker, listen: Callable[[Behaviour], str]
) -> None:
    with pytest.raises(NotPosted, match="TLS handshake failed"):
        post(receiver.url.replace("http:", "https:"), b"{}", {}, 5.0)
    assert not receiver.heard
    with pytest.raises(NotPosted, match="no response within"):
        post(listen(hang).replace("http:", "https:"), b"{}", {}, 0.6)
