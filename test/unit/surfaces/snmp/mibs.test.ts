/**
 * The MIBs of a daemon with one of everything: each object and its value, as walks.txt has them. What reads them knows
 * them by number, so a line that changes there breaks it. `GOLDEN=write` writes the file.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Status, StatusInstance } from '../../../../src/report/status.ts'
import { keepalivedTables } from '../../../../src/surfaces/snmp/keepalived-mib.ts'
import { rfc2787 } from '../../../../src/surfaces/snmp/rfc2787.ts'
import { masterReason, rfc6527 } from '../../../../src/surfaces/snmp/rfc6527.ts'
import { Mib, type Table } from '../../../../src/surfaces/snmp/tables.ts'
import { type Facts, partMs, viewOf } from '../../../../src/surfaces/snmp/view.ts'
import { compareOids } from '../../../../src/wire/oid.ts'
import { packageRoot } from '../../../config/ask-both.ts'
import { aStatus } from '../../cli/a-status.ts'
import { aMibInstance, mibHost, mibInstances, mibSettings, walk } from './facts.ts'

const facts: Facts = {
  ...{ status: aStatus, settings: mibSettings, instances: mibInstances, host: mibHost },
}
/** The master agent has run for 1000 s, and the status is half a second old. */
const clock = { sysUpTime: () => 100_000, age: () => 500 }
const view = viewOf(facts, clock)

const v2 = <It extends { readonly version: 2 | 3 }>(it: It): It => ({ ...it, version: 2 })
const viewOfV2 = viewOf(
  {
    ...facts,
    status: { ...aStatus, instances: aStatus.instances.map(v2) },
    instances: mibInstances.map(v2),
  },
  clock,
)

/** All that is there, and a file and a process besides, which the status of the other tests has not. */
const withTrackers: Facts = {
  ...facts,
  status: {
    ...aStatus,
    checks: aStatus.checks.flatMap((it) => [
      it,
      {
        ...{ ...it, name: 'file/load', how: 'file /run/load' },
        last: {
          ...{ name: 'file/load', output: '', durationMs: 0 },
          outcome: { kind: 'value', value: -7 },
        },
      },
      {
        ...{ ...it, name: 'process/web', good: false },
        last: {
          ...{ name: 'process/web', output: '', durationMs: 0 },
          outcome: { kind: 'probe', ok: false, detail: '3 processes, 1 to 2 wanted' },
        },
      },
    ]),
  },
  settings: {
    ...mibSettings,
    mail: {
      ...{ server: '192.0.2.25', port: 25, timeout: 30, from: 'a@example.org' },
      to: ['b@example.org', 'c@example.org'],
    },
    files: [{ name: 'load', check: 'file/load', weight: 1, reverse: false, path: '/run/load' }],
    processes: [
      {
        ...{ name: 'web', check: 'process/web', weight: -5, reverse: true, process: 'httpd' },
        ...{ parameters: '-f x', match: 'initial', least: 1, most: 2, full: true },
        ...{ gainDelayUs: 500_000, lossDelayUs: 0 },
      },
    ],
  },
}

const walked = (title: string, tables: readonly Table[], subtree: string): readonly string[] => [
  `# ${title}: ${subtree}`,
  ...walk(new Mib(tables), subtree),
]

test('each object and its value', () => {
  const found = [
    ...walked('KEEPALIVED-MIB', keepalivedTables(view, true), '1.3.6.1.4.1.9586.100.5'),
    ...walked('VRRP-MIB (RFC 2787)', rfc2787.tables(viewOfV2, false), '1.3.6.1.2.1.68'),
    ...walked('VRRPV3-MIB (RFC 6527)', rfc6527.tables(view, true), '1.3.6.1.2.1.207'),
    ...walked(
      'KEEPALIVED-MIB, mail, files and processes',
      keepalivedTables(viewOf(withTrackers, clock), false),
      '1.3.6.1.4.1.9586.100.5',
    ).filter((line) => /^#|^(1\.3|1\.4|2\.13|2\.21)\./.test(line)),
  ]
  const file = join(packageRoot, 'test/unit/surfaces/snmp/walks.txt')
  if (process.env['GOLDEN'] === 'write') writeFileSync(file, `${found.join('\n')}\n`)
  assert.deepEqual(found, readFileSync(file, 'utf8').trimEnd().split('\n'))
})

/** As docs/snmp.md has them: a row for each table or group. */
function rowsOf(title: string, tables: readonly Table[]): readonly string[] {
  const rows = [...tables]
    .sort((a, b) => compareOids(a.entry, b.entry))
    .map(({ entry, columns }) => {
      const at = entry.join('.').replace('1.3.6.1.4.1.9586.100.5', 'K')
      return `| ${at} | ${columns.map(({ number, name }) => `${name} ${number}`).join(', ')} |`
    })
  return [`| ${title} | objects |`, '| --- | --- |', ...rows]
}

test('docs/snmp.md names each object', () => {
  const wanted = [
    rowsOf('KEEPALIVED-MIB', keepalivedTables(view, true)),
    rowsOf('VRRP-MIB', rfc2787.tables(view, true)),
    rowsOf('VRRPV3-MIB', rfc6527.tables(view, true)),
  ]
    .map((rows) => rows.join('\n'))
    .join('\n\n')
  const path = join(packageRoot, 'docs/snmp.md')
  const page = readFileSync(path, 'utf8')
  const between = /(<!-- objects: from src\/surfaces\/snmp -->\n)[\s\S]*(<!-- end of objects -->)/
  assert.match(page, between)
  const next = page.replace(between, `$1\n${wanted}\n\n$2`)
  if (process.env['GOLDEN'] === 'write') writeFileSync(path, next)
  assert.equal(page, next)
})

test('instances of version 2 alone are in VRRP-MIB; one without an interface is in neither', () => {
  assert.deepEqual(
    walk(new Mib(rfc2787.tables(view, true)), '1.3.6.1.2.1.68').filter((it) =>
      it.startsWith('1.3'),
    ),
    [],
  )
  const absent = { ...facts, host: { ...mibHost, links: [] } }
  assert.deepEqual(
    walk(new Mib(rfc6527.tables(viewOf(absent, clock), true)), '1.3.6.1.2.1.207.1.1'),
    [],
  )
})

test('an IPv6 instance: its type is in the index, and the octets of its addresses', () => {
  const [web] = aStatus.instances
  assert.ok(web !== undefined)
  const six: StatusInstance = {
    ...{ ...web, family: 6, master: { address: 'fe80::1', priority: 150, self: true } },
    addresses: web.addresses.map((it) => ({ ...it, address: 'fe80::100' })),
  }
  const status: Status = { ...aStatus, instances: [six] }
  const of = { ...facts, status, host: { ...mibHost, sources: { VI_web: 'fe80::1' } } }
  const lines = walk(new Mib(rfc6527.tables(viewOf(of, clock), true)), '1.3.6.1.2.1.207.1.1')
  const address = ['fe', '80', ...Array<string>(13).fill('00'), '01'].join(' ')
  assert.deepEqual(
    lines.filter((it) => /^(1\.1\.[34]|2)\./.test(it)),
    [
      `1.1.3.2.51.2 HEX ${address}`,
      `1.1.4.2.51.2 HEX ${address}`,
      `2.1.2.2.51.2.254.128.${'0.'.repeat(12)}1.0 integer 1`,
    ],
  )
})

test('since when it takes part: from the last INIT or FAULT on; not at all in FAULT', () => {
  const entry = (at: string, from: string, to: string) => ({
    ...{ at: `2026-03-01T11:${at}Z`, from, to, why: '', cause: 'start' as const },
  })
  const row = (state: StatusInstance['state'], history: StatusInstance['history']) => {
    const [web] = aStatus.instances
    assert.ok(web !== undefined)
    const now: StatusInstance = { ...web, state, sinceMs: 1_000, history }
    return { number: 1, config: aMibInstance, now, link: null, source: null }
  }
  const flapped = [
    entry('00:00', 'INIT', 'BACKUP'),
    entry('10:00', 'BACKUP', 'FAULT'),
    entry('20:00', 'FAULT', 'BACKUP'),
    entry('20:04', 'BACKUP', 'MASTER'),
  ]
  assert.equal(partMs(row('MASTER', flapped)), 5_000)
  assert.equal(partMs(row('BACKUP', [])), 1_000)
  assert.equal(partMs(row('FAULT', flapped)), 0)
})

test('why it became master', () => {
  assert.deepEqual(
    ['timeout', 'preempt', 'priority-zero', 'owner'].map((cause) => masterReason(cause)),
    [3, 2, 1, 1],
  )
})
