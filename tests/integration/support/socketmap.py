"""A socketmap server, well-behaved or not."""
import socket
import threading


class Socketmap:
    """`answer(map, key)`: the reply's payload, None for silence, bytes as they are."""

    def __init__(self, answer, path=None):
        self.answer = answer
        self.asked = []
        self.connections = 0
        family = socket.AF_INET if path is None else socket.AF_UNIX
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.bind(("127.0.0.1", 0) if path is None else str(path))
        self.sock.listen(16)
        self.port = self.sock.getsockname()[1] if path is None else None
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        sock = self.sock
        while True:
            try:
                peer, _ = sock.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        stream = peer.makefile("rb")
        try:
            while True:
                digits = b""
                while not digits.endswith(b":"):
                    c = stream.read(1)
                    if not c:
                        return
                    digits += c
                payload = stream.read(int(digits[:-1]))
                assert stream.read(1) == b","
                name, _, key = payload.decode().partition(" ")
                self.asked.append((name, key))
                said = self.answer(name, key)
                if said is None:
                    continue
                if isinstance(said, str):
                    said = b"%d:%s," % (len(said.encode()), said.encode())
                peer.sendall(said)
        except (OSError, ValueError, AssertionError):
            pass

    def hang_up(self):
        """End every connection, and listen on."""
        while self.open:
            peer = self.open.pop()
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            peer.close()

    def stop(self):
        if self.sock is None:
            return
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.sock = None
        self.hang_up()
