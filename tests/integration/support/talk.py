"""An SMTP client that says exactly what it is told, byte for byte."""
import socket
import ssl


class Talk:
    """One connection; replies are (code, [lines])."""

    def __init__(self, port, host="127.0.0.1", timeout=20, greet=True, source=None):
        self.sock = socket.create_connection(
            (host, port), timeout, source_address=(source, 0) if source else None)
        self.buffer = b""
        if greet:
            self.greeting = self.reply()

    def send(self, data):
        if isinstance(data, str):
            data = data.encode()
        self.sock.sendall(data)

    def line(self):
        """One line without its CRLF; EOFError when the peer has closed."""
        while b"\r\n" not in self.buffer:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise EOFError(self.buffer)
            self.buffer += chunk
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("utf-8", "surrogateescape")

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return int(lines[-1][:3]), [line[4:] for line in lines]

    def command(self, text):
        self.send(text + "\r\n")
        return self.reply()

    def expect(self, code, text):
        """Say it; the reply's code must begin so ("2", "550", "550 5.1.1")."""
        got, lines = self.command(text)
        whole = f"{got} {lines[-1]}"
        assert whole.startswith(str(code)), f"{text!r}: {lines} is not {code}"
        return lines

    def hello(self, name="client.test.example"):
        return self.expect(250, f"EHLO {name}")

    def starttls(self, server_hostname="mx.test.example", context=None):
        """STARTTLS without looking at the certificate, then EHLO."""
        self.expect(220, "STARTTLS")
        self.wrap(server_hostname, context)
        return self.hello()

    def wrap(self, server_hostname="mx.test.example", context=None):
        if context is None:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        assert self.buffer == b"", "bytes behind the reply to STARTTLS"
        self.sock = context.wrap_socket(self.sock, server_hostname=server_hostname)

    def envelope(self, sender, *rcpts):
        self.expect(250, f"MAIL FROM:<{sender}>")
        for rcpt in rcpts:
            self.expect(250, f"RCPT TO:<{rcpt}>")

    def data(self, body):
        """DATA with these bytes (dots are doubled here); the last reply."""
        if isinstance(body, str):
            body = body.encode()
        self.expect(354, "DATA")
        body = body.replace(b"\r\n.", b"\r\n..")
        self.send((b"." if body.startswith(b".") else b"") + body + b".\r\n")
        return self.reply()

    def closed(self):
        """Has the peer ended the connection?  Waits for it."""
        try:
            return self.sock.recv(65536) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def message(subject="test", body="hello\r\n", sender="a@client.example",
            to="user@test.example"):
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
            f"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n"
            f"Message-ID: <{subject.replace(' ', '-')}@client.example>\r\n"
            f"\r\n{body}")
