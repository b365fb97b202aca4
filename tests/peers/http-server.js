// SPDX-License-Identifier: MIT
// HTTP/1.1 and HTTP/2 in cleartext on two ports of the loopback, which are
// printed: GET / is answered "hello\n", anything else with its own body. Over
// HTTP/2, tunnels echo (RFC 8441); over HTTP/1.1, upgrades do.
'use strict';
const http = require('http');
const http2 = require('http2');

function answer(request, response) {
  if (request.method === 'GET') {
    response.end('hello\n');
  } else {
    request.pipe(response);
  }
}

const one = http.createServer(answer);
one.on('upgrade', (request, socket, head) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n' +
    `Upgrade: ${request.headers.upgrade}\r\n\r\n`);
  socket.write(head);
  socket.pipe(socket);
});

const two = http2.createServer({ settings: { enableConnectProtocol: true } },
  answer);
two.on('connect', (request, response) => {
  response.stream.respond({ ':status': 200 });
  response.stream.pipe(response.stream);
});

one.listen(0, '127.0.0.1', () => two.listen(0, '127.0.0.1', () =>
  console.log(`${one.address().port} ${two.address().port}`)));
