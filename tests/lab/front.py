"""What stands between a resolver and the name server, and lies when told to.

    front = Front(upstream_port, port)
    front.lies[("_25._tcp.mx.a.test.", "TLSA")] = lies.servfail
    front.asked            # [(name, type), ...]: every question so far

A lie is a function: lie(query, ask) -> bytes or None (silence), where
ask(query) brings the name server's honest Message; see lies.py.  UDP and TCP
tell the same, unless the lie has the attribute `udp_only`.
"""
import socket
import socketserver
import struct
import threading

from . import wire


class Front:
    """UDP and TCP on 127.0.0.1; threads of its own until stop()."""

    def __init__(self, upstream, port=0):
        self.upstream = ("127.0.0.1", upstream)
        self.lies = {}
        self.asked = []
        self.servers = []
        front = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                reply = front.reply(data, tcp=False)
                if reply is not None:
                    sock.sendto(reply, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                front.serve_stream(self.request)

        self._listen(socketserver.ThreadingTCPServer, Tcp, port)
        self.port = self.servers[0].server_address[1]
        self._listen(socketserver.ThreadingUDPServer, Udp, self.port)

    def _listen(self, kind, handler, port):
        class Server(kind):
            allow_reuse_address = kind is socketserver.ThreadingTCPServer
            daemon_threads = True
            request_queue_size = 128
            max_packet_size = 65535

            def handle_error(self, request, client_address):
                """A resolver that has gone away is no event."""

        server = Server(("127.0.0.1", port), handler)
        self.servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.1,),
                         daemon=True).start()

    def lie_for(self, message):
        name, kind = message.qname, message.qtype
        for key in ((name, kind), (name, "ANY")):
            if key in self.lies:
                return self.lies[key]
        # ("*.zone.", type): the zone's apex and everything below it
        labels = name.split(".")
        for n in range(len(labels) - 1):
            for key in (("*." + ".".join(labels[n:]), kind),
                        ("*." + ".".join(labels[n:]), "ANY")):
                if key in self.lies:
                    return self.lies[key]
        return None

    def reply(self, data, tcp):
        """The bytes to answer with, or None."""
        try:
            query = wire.parse(data)
        except (ValueError, IndexError, struct.error):
            return None
        self.asked.append((query.qname, query.qtype))
        lie = self.lie_for(query)
        if lie is not None and not (tcp and getattr(lie, "udp_only", False)):
            return lie(query, self.ask)
        return self.forward(data, tcp)

    def forward(self, data, tcp):
        if tcp:
            with socket.create_connection(self.upstream, 5) as sock:
                sock.sendall(struct.pack(">H", len(data)) + data)
                return _read_framed(sock)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect(self.upstream)
            sock.send(data)
            return sock.recv(65535)

    def ask(self, query):
        """What the name server says, the whole of it."""
        return wire.parse(self.forward(query.encode(), tcp=True))

    def serve_stream(self, sock):
        sock.settimeout(30)
        while True:
            data = _read_framed(sock)
            if data is None:
                return
            reply = self.reply(data, tcp=True)
            if reply is None:
                return
            sock.sendall(struct.pack(">H", len(reply)) + reply)

    def was_asked(self, name, kind):
        return (name.lower().rstrip(".") + ".", kind) in self.asked

    def stop(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def _read_framed(sock):
    """One message of a stream, or None at its end."""
    head = _read_exactly(sock, 2)
    return None if head is None else _read_exactly(
        sock, struct.unpack(">H", head)[0])


def _read_exactly(sock, count):
    data = b""
    while len(data) < count:
        try:
            chunk = sock.recv(count - len(data))
        except OSError:
            return None
        if not chunk:
            return None
        data += chunk
    return data
