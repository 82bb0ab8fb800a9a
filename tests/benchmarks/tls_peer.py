"""The service of the benchmarks behind TLS: `peer.py`, with a certificate.

    python tls_peer.py CERTIFICATE [MANNER ...]      a PEM file with its key; the manners of `peer.py`

Handshakes are made as bytes come, so that a thousand of them are no queue.
"""

from __future__ import annotations

import socket
import ssl
import sys

from peer import Peer, Server

CONTEXT = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)


class TlsPeer(Peer):
    """One client's connection, whose socket speaks TLS."""

    def receive(self) -> None:
        try:
            super().receive()
            while isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
                super().receive()
        except ssl.SSLWantReadError:
            pass

    def send(self, data: bytes) -> None:
        try:
            super().send(data)
        except ssl.SSLWantWriteError:  # `peer` keeps what was not written
            self.server.watch(self)


class TlsServer(Server):
    """Connections over TLS."""

    kind: type[Peer] = TlsPeer

    def peer(self, sock: socket.socket) -> Peer:
        secure = CONTEXT.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        secure.setblocking(False)
        return self.kind(self, secure)


if __name__ == "__main__":
    CONTEXT.load_cert_chain(sys.argv[1])
    TlsServer().run()
