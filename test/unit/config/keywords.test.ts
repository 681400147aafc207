import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keywordReference } from '../../../src/config/explain/docs.ts'
import type { Argument, Keyword } from '../../../src/config/grammar/entries.ts'
import { reasonOf } from '../../../src/config/keywords/reasons.ts'
import { keywords, nearest } from '../../../src/config/keywords/table.ts'
import { check, findings, instanceText } from './reading.ts'

test('each keyword stands once in its block', () => {
  const seen = new Set<string>()
  for (const { block, name } of keywords) {
    assert.ok(!seen.has(`${block} ${name}`), `${block} ${name}`)
    seen.add(`${block} ${name}`)
  }
})

test('each keyword has a sentence, and each block with keywords is reachable', () => {
  for (const { name, doc, form, inner, entry } of keywords) {
    assert.match(doc, /[.…]$/, name)
    if (form === 'entries') assert.ok(entry !== undefined, name)
    if (inner !== undefined)
      assert.ok(
        keywords.some(({ block }) => block === inner),
        name,
      )
  }
})

test('what is recognised and not acted on has its reason, in the warning and in the documentation', () => {
  const without = keywords.filter(
    (keyword) => keyword.status === 'recognised' && reasonOf(keyword) === undefined,
  )
  assert.deepEqual(
    without.map(({ block, name }) => `${block}.${name}`),
    [],
    'a line in src/config/keywords/reasons.ts',
  )
  const { text } = check(`global_defs {\n reload_repeat\n}\n${instanceText('')}`)
  assert.match(text, /reload_repeat is not supported .* has no effect: a reload at a certain time/)
  assert.match(keywordReference(), /`reload_repeat`.*Not acted on: a reload at a certain time/)
})

/** A word that fits the argument. */
function good(argument: Argument): string {
  switch (argument.kind) {
    case 'integer':
      return String(Math.max(argument.min, 1))
    case 'decimal':
      return String(Math.max(argument.min, 1))
    case 'switch':
      return 'on'
    case 'choice':
      return argument.values[0] ?? ''
    case 'address':
      return argument.multicast === true
        ? argument.family === 6
          ? 'ff02::5'
          : '224.0.0.5'
        : '10.0.0.1'
    case 'interface':
      return 'eth0'
    case 'command':
      return '"/usr/bin/true"'
    case 'user':
      return 'root'
    case 'text':
      return 'x'
    case 'words':
      return ''
  }
}

const line = (keyword: Keyword, words: readonly string[]): string => {
  const block = keyword.form === 'line' ? '' : ' {\n }'
  return `${keyword.name} ${words.join(' ')}${block}`
}

/** A file in which the line stands in its block. */
function placed(keyword: Keyword, text: string): string | null {
  if (keyword.block === 'global_defs') return `global_defs {\n ${text}\n}\n${instanceText()}`
  if (keyword.block === 'vrrp_instance') return instanceText(text)
  return null
}

const plain = keywords.filter(
  ({ form, block }) => form === 'line' && ['global_defs', 'vrrp_instance'].includes(block),
)
const special = new Set([
  'lvs_timeouts',
  'umask',
  'vrrp_rx_bufs_policy',
  'native_ipv6',
  'mcast_dst_ip',
  'vipd_http',
])

test('good arguments are accepted, whatever the status', () => {
  const complaints = [
    'bad-number',
    'bad-choice',
    'bad-switch',
    'bad-address',
    'missing-operand',
    'extra-words',
    'unknown-keyword',
  ]
  for (const keyword of plain.filter(({ name }) => !special.has(name))) {
    const words = keyword.args.map(good)
    const extra = /extra_if|garp_intvl|affinity/.test(keyword.name) ? ['1'] : []
    const text = placed(
      keyword,
      line(
        keyword,
        [...words, ...extra].filter((w) => w !== ''),
      ),
    )
    const codes = check(text ?? '').diagnostics.map((d) => d.code)
    assert.deepEqual(
      codes.filter((code) => complaints.includes(code)),
      [],
      keyword.name,
    )
  }
})

test('numbers out of range and words that are no numbers are reported with the keyword’s name', () => {
  for (const keyword of plain) {
    const [first] = keyword.args
    if (first?.kind !== 'integer' && first?.kind !== 'decimal') continue
    for (const bad of [String(first.max + 1), 'x']) {
      const report = check(placed(keyword, line(keyword, [bad])) ?? '')
      const found = report.diagnostics.find((d) => d.code === 'bad-number')
      assert.ok(found?.message.startsWith(`${keyword.name} ${bad} `), `${keyword.name} ${bad}`)
      assert.equal(found?.verdict, 'config')
    }
  }
})

test('a missing operand is exit 2 or 5, as the table says', () => {
  for (const keyword of plain) {
    const [first] = keyword.args
    if (first === undefined || first.optional === true) continue
    if (['command', 'words', 'switch'].includes(first.kind)) continue
    const report = check(placed(keyword, keyword.name) ?? '')
    assert.equal(report.exit, keyword.missing === 'operand' ? 2 : 5, keyword.name)
  }
})

test('a misspelt keyword is answered with the nearest one', () => {
  assert.equal(nearest('root', 'vvrp_script'), 'vrrp_script')
  assert.equal(nearest('vrrp_instance', 'priorty'), 'priority')
  assert.equal(nearest('vrrp_instance', 'colour'), null)
  const report = check(instanceText('advert_itn 1'))
  assert.match(report.diagnostics[0]?.message ?? '', /did you mean advert_int\?/)
  assert.deepEqual(findings(report), ['unknown-keyword@4'])
})

test('a keyword in the wrong block says where it belongs', () => {
  const report = check(`global_defs {\n garp_master_delay 3\n}\n${instanceText()}`)
  assert.match(report.diagnostics[0]?.message ?? '', /it belongs in vrrp_instance/)
})

test('docs/configuration.md is what the table says', () => {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    try {
      const text = readFileSync(join(folder, 'docs/configuration.md'), 'utf8')
      assert.ok(text === keywordReference(), 'stale: npm run docs')
      return
    } catch (error) {
      if (error instanceof assert.AssertionError || folder === '/') throw error
      folder = dirname(folder)
    }
  }
})
