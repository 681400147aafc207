/**
 * Runs inside a host: a small web server that is known to the process table as `httpd` and answers every
 * request with the host's name. The demo stops and starts it; a check of the article looks for it by name.
 */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { hostname } from 'node:os'

const [, , port = '80', pidFile] = process.argv

process.title = 'httpd'
const server = createServer((_, response) => {
  response.setHeader('connection', 'close')
  response.end(hostname())
})
server.listen(Number(port), () => {
  if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`)
  process.stdout.write('listening\n')
})
