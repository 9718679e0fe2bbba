// For node: reads the body, then answers 200 to anything.
const server = require('node:http').createServer((request, response) => {
  request.on('data', () => {})
  request.on('end', () => response.end('ok'))
})
server.listen(Number(process.argv[2]), '127.0.0.1')
