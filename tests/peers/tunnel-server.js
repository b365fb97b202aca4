// SPDX-License-Identifier: MIT
// tunnel-server.js FILE [PEM]: tunnels over HTTP/1.1 (Upgrade) and HTTP/2
// (extended CONNECT) on two ports of the loopback, which are the first line;
// over TLS if there is a file with key and certificate. Then a line for each
// request, with its fields, and one for how it ended. The path says what is
// done with a tunnel.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');

const [file, pem] = process.argv.slice(2);
const hello = Buffer.from('00060068656c6c6f', 'hex');

const services = {
  '/echo': (s) => s.pipe(s),
  '/sink': (s) => s.on('end', () => s.end()),
  '/file': (s) => fs.createReadStream(file).pipe(s),
  '/hello': (s) => s.end(hello),
  '/half': (s) => s.end(hello.subarray(0, 5)),
  '/reset': (s, reset) => { s.write(hello); s.once('data', reset); },
};

function serve(s, version, path, reset) {
  const hash = crypto.createHash('sha256');
  let octets = 0;

  s.on('data', (data) => { octets += data.length; hash.update(data); });
  s.on('end', () => console.log(version, path, 'got', octets,
    hash.digest('hex')));
  s.on('error', (error) => console.log(version, path, error.code));
  s.on('close', () => console.log(version, path, 'closed', s.rstCode ?? ''));
  services[path](s, reset);
}

function upgrade(request, socket, head) {
  const path = request.url;

  console.log('request', JSON.stringify(request.headers));
  // Whatever else the client does must not stop this server.
  socket.on('error', () => {});
  let answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n' +
    `Upgrade: ${request.headers.upgrade}\r\nCapsule-Protocol: ?1\r\n`;
  if (path === '/typed') {
    socket.end(answer + 'Content-Type: text/plain\r\n\r\n');
  } else if (path === '/glued') {
    // The end, and only that, comes in a packet of its own.
    socket.end(Buffer.concat([Buffer.from(answer + '\r\n'), hello]));
  } else if (path === '/slow') {
    let all = Buffer.concat([Buffer.from(answer + '\r\n'), hello]);
    socket.setNoDelay(true);
    (function next() {
      if (all.length === 0) {
        socket.end();
        return;
      }
      socket.write(all.subarray(0, 1));
      all = all.subarray(1);
      setImmediate(next);
    })();
  } else {
    socket.write(answer + '\r\n');
    // Nothing may have come before the 101.
    console.log('early', head.length);
    // Over TLS: leave without a close_notify.
    serve(socket, 'h1', path,
      () => tls ? socket.destroy() : socket.resetAndDestroy());
  }
}

function connect(stream, headers) {
  const path = headers[':path'];

  console.log('request', JSON.stringify(headers));
  stream.on('error', () => {});
  if (path === '/typed') {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(hello);
  } else if (/^\/[1-5][0-9][0-9]$/.test(path)) {
    stream.respond({ ':status': Number(path.slice(1)) }, { endStream: true });
  } else {
    stream.respond({ ':status': 200, 'capsule-protocol': '?1' });
    // close() would end the stream before it resets it.
    serve(stream, 'h2', path, () => stream.destroy(new Error('reset')));
  }
}

const settings = { enableConnectProtocol: true };
const tls = pem && {
  key: fs.readFileSync(pem), cert: fs.readFileSync(pem), allowHalfOpen: true,
};
const one = tls ? https.createServer(tls) : http.createServer();
const two = tls ? http2.createSecureServer({ ...tls, settings }) :
  http2.createServer({ settings });
one.on('upgrade', upgrade);
two.on('stream', connect);
two.on('sessionError', (error) => console.log('session', error.code));

one.listen(0, '127.0.0.1', () => two.listen(0, '127.0.0.1', () =>
  console.log(one.address().port, two.address().port)));
