/** What the tests of probes begin with: a line of the configuration, asked, and servers that behave as they are told. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { Command } from '../../../src/base/command.ts'
import { runOnce } from '../../../src/checks/pool/once.ts'
import type { Outcome } from '../../../src/programs/outcome.ts'
import { check, instanceText } from '../config/reading.ts'

export const directory = mkdtempSync(join(tmpdir(), 'vipd-probe-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** What `probe LINE` means. `files`: those that it reads, beside their contents. */
export function meaning(line: string, files: readonly string[] = []): Command {
  const track = instanceText('track_script {\n c\n }')
  const contents = Object.fromEntries(
    files.map((path) => [path, { text: readFileSync(path, 'utf8') }]),
  )
  const report = check(`vrrp_script c {\n probe ${line}\n}\n${track}`, { files: contents })
  const command = report.config?.scripts[0]?.run.command
  assert.ok(command !== undefined && command.kind !== 'broken', report.text)
  return command
}

export async function outcomeOf(command: Command, timeoutMs = 5_000): Promise<Outcome> {
  const timing = { intervalMs: timeoutMs, timeoutMs, rise: 1, fall: 1 }
  return (await runOnce({ name: 'c', command, runAs: null, ...timing })).outcome
}

/** What an operator reads: 'yes …', 'no …', 'timeout'. */
export async function said(line: string, timeoutMs?: number): Promise<string> {
  const outcome = await outcomeOf(meaning(line, pems), timeoutMs)
  if (outcome.kind === 'probe') return `${outcome.ok ? 'yes' : 'no'} ${outcome.detail}`
  return outcome.kind === 'unable' ? `unable ${outcome.why}` : outcome.kind
}

export async function listen(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that does this with each connection. */
export const serve = (behave: (socket: Socket) => void): Promise<number> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined)
      after(() => socket.destroy())
      behave(socket)
    }),
  )

/** A port that is free at the moment. */
export async function freePort(): Promise<number> {
  const free = createServer()
  const port = await listen(free)
  await new Promise((resolve) => free.close(resolve))
  return port
}

type Certificate = { readonly path: string; readonly key: string; readonly text: string }

/** Certificates and keys that lines may name. */
const pems: string[] = []

export function certificate(name: string, ...more: string[]): Certificate {
  const path = join(directory, `${name}.pem`)
  const key = join(directory, `${name}.key`)
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', key, '-out', path]
  execFileSync('openssl', ['req', '-x509', ...made, ...subject, ...files, ...more], {
    stdio: 'ignore',
  })
  pems.push(path, key)
  return { path, key, text: readFileSync(path, 'utf8') }
}
