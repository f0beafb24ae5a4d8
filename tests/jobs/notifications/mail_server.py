"""A mail server for tests: real SMTP on a real socket, one letter after another."""

import socketserver
import threading

ANSWERS = {"DATA": "354 go on", "QUIT": "221 bye"}


class MailServer:
    """Takes every letter into `letters`, or refuses all recipients with `refusal`."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.refusal = ""
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self.port = int(self.server.server_address[1])
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "MailServer":
        self.thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.say("220 mail.test")
                for line in map(bytes.decode, self.rfile):
                    verb = line.split()[0].upper()
                    refuses = verb == "RCPT" and outer.refusal
                    self.say(outer.refusal if refuses else ANSWERS.get(verb, "250 fine"))
                    if verb == "QUIT":
                        return
                    if verb == "DATA":
                        outer.letters.append("".join(map(bytes.decode, iter(self.rfile.readline, b".\r\n"))))
                        self.say("250 taken")

            def say(self, answer: str) -> None:
                self.wfile.write(f"{answer}\r\n".encode())

        return Handler
