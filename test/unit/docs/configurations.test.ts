/** Every configuration of the book is one that `vipd check` finds nothing wrong with. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keywords } from '../../../src/config/keywords/table.ts'
import { check } from '../config/reading.ts'
import { type Block, blocks, pages } from './markdown.ts'

const blocksOf = (name: string): readonly string[] =>
  keywords.filter((keyword) => keyword.name === name).map(({ block }) => block)

/** What stands for `…` in an instance, and around a part of one. */
const usual = 'interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.9.0.100/24\n}\n'

/** The whole configuration that a block is, or is a part of; null: it is none. */
function configuration({ text }: Block): string | null {
  const lines = text.split('\n').map((line) => line.trim())
  const first = /^(\w+)\b[^;]*?(\{)?(?:\s*[#!].*)?$/.exec(
    lines.find((line) => line !== '' && !/^[#!]/.test(line)) ?? '',
  )
  const [, word = ''] = first ?? []
  const written = lines.map((line) => (line === '…' ? usual : line)).join('\n')
  // A semicolon at the end of a line: another program's language.
  if (first === null || /;$/m.test(text)) return null
  if (blocksOf(word).includes('root')) return written
  const isPart = blocksOf(word).includes('vrrp_instance') && /\{/.test(text)
  return isPart ? `vrrp_instance VI_1 {\n${usual}\n${written}\n}\n` : null
}

/** Keys, certificates, scripts and groups that the pages speak of. */
const machine = {
  files: {
    ...Object.fromEntries(
      ['/etc/keepalived/vrrp.key', '/etc/vipd/action-token', '/etc/vipd/read-token'].map((path) => [
        path,
        { text: `hex:${'5a'.repeat(32)}\n`, mode: 0o600 },
      ]),
    ),
    ...Object.fromEntries(
      ['ca.pem', 'client.pem', 'client.key', 'http.crt', 'http.key'].map((name) => [
        `/etc/vipd/${name}`,
        { text: '', mode: 0o600 },
      ]),
    ),
    '/etc/vipd/move-address': { text: '#!/bin/bash\n', mode: 0o755 },
  },
  groups: { monitoring: 990, root: 0 },
}

/**
 * Said by the pages themselves: what AH is worth; that a combination names checks which other blocks define.
 */
const expected: ReadonlySet<string> = new Set(['weak-signature', 'bad-combination'])

function mistakes(text: string): readonly string[] {
  return check(text, machine)
    .diagnostics.filter(({ severity, code }) => severity !== 'note' && !expected.has(code))
    .map(({ code, message, place }) => `${place.line}: ${message} [${code}]`)
}

test('every configuration of the book is good', () => {
  const texts = pages()
    .flatMap(blocks)
    .flatMap((block) => {
      const text = configuration(block)
      return text === null ? [] : [{ place: `${block.page}:${block.line}`, text }]
    })
  assert.ok(texts.length > 10, String(texts.length))
  assert.deepEqual(
    texts.flatMap(({ place, text }) => mistakes(text).map((it) => `${place}: ${it}`)),
    [],
  )
})

test('a keyword that is not there is seen', () => {
  const block = { page: 'x.md', line: 1, text: 'unicast_peers {\n10.0.0.2\n}' }
  assert.equal(configuration(block), null)
  assert.match(
    mistakes('vrrp_instance V {\nunicast_peers {\n10.0.0.2\n}\n}').join('\n'),
    /unicast_peers/,
  )
})
