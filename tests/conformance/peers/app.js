// For node: reads the body, then answers 200 to anything. The first port speaks HTTP/1, the second HTTP/2.
const answer = (request, response) => {
  request.on('data', () => {})
  request.on('end', () => response.end('ok'))
}
const listen = (server, port) => server.listen(Number(port), '127.0.0.1')
listen(require('node:http').createServer(answer), process.argv[2])
listen(require('node:http2').createServer(answer), process.argv[3])
