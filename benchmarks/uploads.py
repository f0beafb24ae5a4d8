"""How uploads bear bad connections, and how fast they are: `python -m benchmarks.uploads`. Prints, judges nothing.

speed: one file in pieces of 16 MiB on a good connection, beside `dd` with the same bytes on the same disk.
trouble: the same file while the connection is cut and the web process killed, each so many times, at random places.
"""

import argparse
import base64
import hashlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.contract.installation import Installation, answers, wait_for

MIB = 1 << 20
LARGEST, SMALLEST = 16 * MIB, 1 * MIB
PIECES_A_BREAK = 20  # as many pieces go well between two breaks: then a break costs half of a twentieth


class CuttingProxy:
    """Passes bytes on to a port, counts them, and cuts every connection when it is told to."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.passed = 0  # bytes towards the server
        self.open: set[socket.socket] = set()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        for end in list(self.open):
            hang_up(end)

    def _accept(self) -> None:
        while True:
            client, _ = self.server.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self.open |= {client, server}
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        try:
            while block := source.recv(65536):
                self.passed += len(block) * is_request
                target.sendall(block)
        except OSError:
            pass
        self.open -= {source, target}
        for end in (source, target):
            hang_up(end)
            end.close()


def hang_up(end: socket.socket) -> None:
    """End a connection for whoever waits at it, in whichever thread."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already


class Sender:
    """A client that speaks tus and makes its pieces smaller while the connection is bad."""

    def __init__(self, browser: requests.Session, url: str, path: Path) -> None:
        self.browser, self.url, self.path = browser, url, path
        self.size = path.stat().st_size
        self.headers = {
            "Tus-Resumable": "1.0.0",
            "X-CSRFToken": browser.cookies.get("csrftoken") or "",
            "Origin": url,
        }
        self.breaks = 0

    def send(self, session: str) -> dict[str, Any]:
        where = self.begin(session)
        offset = 0
        with self.path.open("rb") as file:
            while offset < self.size:
                try:
                    offset = self.send_piece(where, file, offset)
                except requests.RequestException:
                    offset = self.go_on(where)
        state: dict[str, Any] = self.browser.get(where, timeout=60).json()["incoming"]
        return state

    def begin(self, session: str) -> str:
        name = base64.b64encode(self.path.name.encode()).decode()
        said = {"Upload-Length": str(self.size), "Upload-Metadata": f"filename {name}"}
        begun = self.browser.post(
            f"{self.url}/api/sessions/{session}/incoming", headers=self.headers | said, timeout=30
        )
        assert begun.status_code == 201, begun.text
        return f"{self.url}/{begun.headers['Location'].split('/', 3)[3]}"

    def send_piece(self, where: str, file: Any, offset: int) -> int:
        file.seek(offset)
        content = file.read(self.piece_size(offset))
        digest = base64.b64encode(hashlib.sha1(content).digest()).decode()
        said = {"Upload-Offset": str(offset), "Upload-Checksum": f"sha1 {digest}"}
        said["Content-Type"] = "application/offset+octet-stream"
        answer = self.browser.patch(where, content, headers=self.headers | said, timeout=120)
        answer.raise_for_status()
        return int(answer.headers["Upload-Offset"])

    def piece_size(self, sent: int) -> int:
        """Return how much to risk at once, by what has gone well between breaks so far."""
        if not self.breaks:
            return LARGEST
        return min(LARGEST, max(SMALLEST, sent // self.breaks // PIECES_A_BREAK))

    def go_on(self, where: str) -> int:
        """Ask where to go on, as often as it takes."""
        self.breaks += 1
        while True:
            try:
                answer = self.browser.head(where, headers=self.headers, timeout=10)
                answer.raise_for_status()
                return int(answer.headers["Upload-Offset"])
            except requests.RequestException:
                time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["speed", "trouble"])
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--times", type=int, default=20, help="cuts, and as many kills")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {options.mib} MiB, seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="uploads-") as folder, web(Path(folder)) as controller:
        file = Path(folder) / "recording.wav"
        write_noise(file, options.mib, options.seed)
        if options.only != "trouble":
            measure_speed(controller, file)
        if options.only != "speed":
            file = Path(folder) / "another.wav"
            write_noise(file, options.mib, options.seed + 1)
            measure_trouble(controller, file, options.times, random.Random(options.seed))


@contextmanager
def web(folder: Path) -> Iterator[Installation]:
    """The web process alone, with somebody signed in."""
    controller = Installation(folder, CONTROLLER_BASE_URL="http://127.0.0.1")
    try:
        controller.manage("migrate", "--verbosity", "0")
        start(controller)
        controller.sign_in()
        yield controller
    finally:
        controller.stop()


def start(controller: Installation) -> None:
    controller.start("web", "manage.py", "serve", env=controller.controller_env)
    wait_for(lambda: answers(f"{controller.url}/accounts/login/"), 30, "the web process answers")


def write_noise(path: Path, mib: int, seed: int) -> None:
    noise = random.Random(seed)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(noise.randbytes(MIB))


def measure_speed(controller: Installation, file: Path) -> None:
    before = memory_mb(controller)
    begun = time.monotonic()
    Sender(controller.browser, controller.url, file).send(controller.new_session("Speed"))
    ours = time.monotonic() - begun
    command = ["dd", f"if={file}", f"of={file}.copy", "bs=16M", "conv=fsync", "status=none"]
    begun = time.monotonic()
    subprocess.run(command, check=True)
    theirs = time.monotonic() - begun
    Path(f"{file}.copy").unlink()
    mb = file.stat().st_size / 1e6
    print(
        f"speed    ours {mb / ours:7.0f} MB/s   dd {mb / theirs:7.0f} MB/s   {theirs / ours:.0%} of it (≥ 60 %)"
    )
    after, most = memory_mb(controller), peak_mb(controller)
    print(f"memory   web {before:.0f} MB before, {after:.0f} MB after, at most {most:.0f} MB")


def measure_trouble(controller: Installation, file: Path, times: int, chance: random.Random) -> None:
    proxy = CuttingProxy(controller.web_port)
    size = file.stat().st_size
    places = sorted(chance.sample(range(size), 2 * times))
    kinds = ["cut", "kill"] * times
    chance.shuffle(kinds)
    session = controller.new_session("Trouble")
    stop = threading.Event()

    def make_trouble() -> None:
        for place, kind in zip(places, kinds, strict=True):
            while proxy.passed < place:
                if stop.wait(0.001):
                    return
            if kind == "cut":
                proxy.cut()
            else:
                process = controller.processes.pop("web")
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                start(controller)

    trouble = threading.Thread(target=make_trouble)
    trouble.start()
    sender = Sender(controller.browser, f"http://127.0.0.1:{proxy.port}", file)
    begun = time.monotonic()
    state = sender.send(session)
    seconds = time.monotonic() - begun
    stop.set()
    trouble.join()
    again = proxy.passed - size
    right = state["upload"] and digest_of(controller, state["upload"]) == digest(file)
    verdict = "right" if right else "WRONG"
    print(
        f"trouble  {sender.breaks} breaks, {seconds:.0f} s; sent again {again / size:.1%} (≤ 5 %); sha256 {verdict}"
    )
    print(f"memory   web at most {peak_mb(controller):.0f} MB since its last start")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(controller: Installation, upload: dict[str, Any]) -> str:
    """The digest of what is played to whoever opens the upload."""
    sha256 = hashlib.sha256()
    with controller.browser.get(controller.url + upload["mediaUrl"], stream=True, timeout=120) as answer:
        for block in answer.iter_content(MIB):
            sha256.update(block)
    return sha256.hexdigest()


def memory_mb(controller: Installation, field: str = "VmRSS") -> float:
    status = Path(f"/proc/{controller.processes['web'].pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def peak_mb(controller: Installation) -> float:
    return memory_mb(controller, "VmHWM")


if __name__ == "__main__":
    main()
