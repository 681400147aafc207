/** Files of 200,000 lines: what they cost grows with their lines, not with the square of them. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadConfiguration } from '../../../src/loading/load.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-long-'))
after(() => rmSync(root, { recursive: true }))
const language = { configId: null, includeAll: false }
const file = (name: string, text: string): string => {
  writeFileSync(join(root, name), text)
  return join(root, name)
}
const instance = (i: number, body = `10.0.0.${i}`): string =>
  `vrrp_instance V${i} {\n interface eth0\n virtual_router_id ${i}\n virtual_ipaddress {\n ${body}\n }\n}\n`
const load = (path: string) =>
  loadConfiguration({ path, language, knownInterfaces: ['eth0'], namespace: null })

describe('a file of 200,000 lines', () => {
  const lines = (count: number, line: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n')
  const ip = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
  const peers = `10.0.0.1\n}\n unicast_src_ip 10.9.9.9\n unicast_peer {\n`
  const links = `10.0.0.1\n}\n track_interface {\n`
  const files: readonly (readonly [what: string, text: () => string, code: string])[] = [
    ['addresses', () => instance(1, lines(200_000, ip)), 'too-many-addresses'],
    ['peers', () => instance(1, peers + lines(200_000, ip)), 'too-many-peers'],
    [
      'tracked interfaces',
      () => instance(1, links + lines(200_000, (i) => `eth${i}`)),
      'no-interface',
    ],
    ['instances', () => lines(28_000, (i) => instance(i)), 'bad-number'],
    ['nonsense', () => lines(200_000, (i) => `pri0rity${i} 5`), 'unknown-keyword'],
    ['braces', () => lines(200_000, () => '}'), 'unexpected-close-brace'],
    ['one line of a sequence', () => `~SEQ(i, 1, 200000) nonsense $i`, 'unknown-keyword'],
  ]
  // Time in proportion to the square of the lines would take minutes to hours for each.
  for (const [what, text, code] of files) {
    test(`${what}: it is read to its end`, { timeout: 120_000 }, () => {
      const { diagnostics } = load(file('long.conf', text()))
      assert.ok(
        diagnostics.some((d) => d.code === code),
        `${diagnostics[0]?.message}`,
      )
      assert.ok(diagnostics.length <= 10_001)
    })
  }

  test('what is cut off of its diagnostics weighs as much as the heaviest of it', () => {
    const { diagnostics } = load(
      file(
        'long.conf',
        lines(20_000, () => '}'),
      ),
    )
    assert.equal(diagnostics.length, 10_001)
    const last = diagnostics.at(-1)
    assert.deepEqual([last?.code, last?.verdict], ['too-many-diagnostics', 'config'])
  })
})
