"""As `ours`, but over trio's own `SSLStream`: what a TLS stream that writes without waiting is worth."""

from __future__ import annotations

import ssl

import ours
import trio
from load import asked, tell

from trio_speech._shell.connection import open_stream
from trio_speech._shell.connection.byte_stream import ByteStream, as_byte_stream


async def over_trio(transport: ByteStream, host: str, context: ssl.SSLContext | None) -> ByteStream:
    context = context or ssl.create_default_context()
    secure = trio.SSLStream(transport, context, server_hostname=host, https_compatible=True)
    await secure.do_handshake()
    return as_byte_stream(secure)


open_stream._tls = over_trio

if __name__ == "__main__":
    load = asked()
    tell(trio.run(vars(ours)[load.task], load))
