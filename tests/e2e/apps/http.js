// Node's own http server on an inherited socket, as its manual has it.
'use strict';
const http = require('node:http');

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://test');
  const pause = Number(url.searchParams.get('ms') ?? 0);
  const answer = () => response.end(`pid ${process.pid}\n`);
  pause > 0 ? setTimeout(answer, pause) : answer();
});

server.listen({ fd: 3 });
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
