// SPDX-License-Identifier: MIT
// tunnel-client.js h1|h2 URL [reset]: a tunnel between standard input and
// output, over HTTP/1.1 (Upgrade) or HTTP/2 (extended CONNECT), in cleartext or
// over TLS as the URL says. The answer and the end are told on standard error.
// With reset, the tunnel is reset when the first octets have come back.
'use strict';
const http = require('http');
const http2 = require('http2');
const https = require('https');

const [version, address, action] = process.argv.slice(2);
const url = new URL(address);
const options = { rejectUnauthorized: false };

function tell(...words) {
  console.error(...words);
}

function join(s, reset) {
  s.pipe(process.stdout);
  if (action === 'reset') {
    s.once('data', reset);
    process.stdin.on('data', (data) => s.write(data));
  } else {
    process.stdin.pipe(s);
  }
  s.on('end', () => tell('end'));
  s.on('error', (error) => tell('error', error.code));
}

function upgrade() {
  const request = (url.protocol === 'https:' ? https : http).request(url, {
    ...options,
    headers: { 'Connection': 'Upgrade', 'Upgrade': 'connect-udp',
      'Capsule-Protocol': '?1' },
  });

  request.on('upgrade', (response, socket, head) => {
    tell(response.statusCode, JSON.stringify(response.headers));
    socket.unshift(head);
    // Not process.exit(): output may be on its way.
    socket.on('close', () => process.stdin.destroy());
    join(socket, () => url.protocol === 'https:' ? socket.destroy() :
      socket.resetAndDestroy());
  });
  request.on('response', (response) => {
    tell(response.statusCode, JSON.stringify(response.headers));
    response.resume();
  });
  request.end();
}

function connect() {
  const session = http2.connect(url, options);

  session.on('remoteSettings', (settings) => {
    tell('settings', JSON.stringify(settings));
    const stream = session.request({
      ':method': 'CONNECT', ':protocol': 'connect-udp', ':path': url.pathname,
      ':scheme': url.protocol.slice(0, -1), ':authority': url.host,
      'capsule-protocol': '?1',
    }, { endStream: false });
    stream.on('response', (headers) => {
      tell(headers[':status'], JSON.stringify(headers));
      // close() would end the stream before it resets it.
      join(stream, () => stream.destroy(new Error('reset')));
    });
    stream.on('close', () => {
      tell('closed', stream.rstCode);
      session.close();
      process.stdin.destroy();
    });
  });
}

if (version === 'h2') {
  connect();
} else {
  upgrade();
}
