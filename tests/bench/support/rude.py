"""Those who do not keep to it: clients that are cut off, a host that refuses."""
import socket
import struct
import threading

ENVELOPE = (b"EHLO rude.example\r\nMAIL FROM:<a@rude.example>\r\n"
            b"RCPT TO:<b@bench.example>\r\n")
HELLO_OF_TLS = bytes.fromhex("16030100c8010000c40303")  # and no more of it

# What is said before the line is cut: within a command, a message, a handshake.
SCENES = [
    b"", b"EHLO rude.exa", b"EHLO rude.example\r\n", b"NOOP\r\n" * 20,
    ENVELOPE, ENVELOPE + b"DATA\r\n", ENVELOPE + b"DATA\r\nSubject: cut\r\n\r\nhal",
    ENVELOPE + b"DATA\r\nSubject: cut\r\n\r\n" + b"x" * 998 + b"\r\n" + b"y" * 60000,
    ENVELOPE + b"BDAT 5000000\r\nSubject: cut\r\n", ENVELOPE + b"BDAT 4 LAST\r\n",
    b"EHLO rude.example\r\nSTARTTLS\r\n", b"EHLO rude.example\r\nSTARTTLS\r\n" + HELLO_OF_TLS,
    b"GET / HTTP/1.1\r\nHost: rude.example\r\n\r\n",
]


def be_rude(port, count):
    """So many connections, each cut off (RST) after one of these."""
    for n in range(count):
        with socket.create_connection(("127.0.0.1", port), 20) as sock:
            sock.settimeout(20)
            try:
                if n % 3:
                    sock.recv(1024)
                sock.sendall(SCENES[n % len(SCENES)])
                if n % 2:
                    sock.settimeout(0.02)  # there may be nothing to come
                    sock.recv(4096)
            except OSError:
                pass  # it was quicker
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Refusing:
    """A next hop where nobody is known."""

    REPLIES = {b"EHLO": b"250 refusing.example", b"MAIL": b"250 ok",
               b"RCPT": b"550 5.1.1 nobody of that name", b"RSET": b"250 ok",
               b"QUIT": b"221 bye"}

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with client, client.makefile("rwb") as talk:
            try:
                talk.write(b"220 refusing.example ESMTP\r\n")
                talk.flush()
                for line in talk:
                    talk.write(self.REPLIES.get(line[:4].upper(), b"503 no") + b"\r\n")
                    talk.flush()
            except OSError:
                pass  # it has gone

    def stop(self):
        self._listener.close()
