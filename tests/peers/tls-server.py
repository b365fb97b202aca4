#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""HTTP/1.1 over TLS, ending as it is told.

    tls-server.py CERTIFICATE-AND-KEY BEHAVIOUR

It listens on the loopback, prints its port, and answers each request with a
body without a length. BEHAVIOUR is clean (close_notify), cut (FIN without
it), or no-alpn (clean, but it knows nothing of ALPN).
"""

import socket
import ssl
import sys
import threading

certificate, behaviour = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate)
if behaviour != "no-alpn":
    context.set_alpn_protocols(["http/1.1"])


def serve(raw):
    try:
        client = context.wrap_socket(raw, server_side=True)
        while b"\r\n\r\n" not in client.recv(65536):
            pass
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n")
        if behaviour == "cut":
            client.shutdown(socket.SHUT_RDWR)
            client.close()
        else:
            client.unwrap().close()
    except OSError:
        raw.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],),
                     daemon=True).start()
