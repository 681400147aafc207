/** Static entries against a kernel that is a table: what is asked of it, in which order, and when again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OpError } from '../../../src/base/errors.ts'
import { us } from '../../../src/base/time.ts'
import { noStatics, type Statics } from '../../../src/config/statics.ts'
import type { KernelAddress } from '../../../src/kernel/address-table.ts'
import type { OwnedObject } from '../../../src/kernel/marks.ts'
import { SharedEntries } from '../../../src/router/dispatch/shared-entries.ts'
import { StaticEntries } from '../../../src/router/dispatch/static-entries.ts'
import { decodeMessages } from '../../../src/wire/rtnetlink.ts'
import { check, instanceText } from '../config/reading.ts'
import { address, kernelOf, link } from './facts.ts'

const silent = () => undefined

class Table {
  readonly asked: string[] = []
  readonly claims: (readonly OwnedObject[])[] = []
  readonly logged: string[] = []
  readonly shared = new SharedEntries()
  /** Why the kernel refuses what is added; null: it takes it. */
  refuses: string | null = null
  records = true
  time = 0
  links = [link(3, 'eth0'), link(4, 'eth1')]
  held: KernelAddress[] = []
  rescheduled = 0
  readonly entries: StaticEntries

  constructor() {
    const log = {
      ...{ debug: silent, info: silent, error: silent },
      warn: (text: string) => void this.logged.push(text),
      flush: () => Promise.resolve(),
    }
    const kernel = () => ({ ...kernelOf(this.links, this.held), hasAgain: () => false })
    this.entries = new StaticEntries({
      log,
      shared: this.shared,
      engine: {
        now: () => us(this.time),
        request: (bytes, done) => {
          const [told] = decodeMessages(bytes)
          const adds = told?.kind.startsWith('new') === true
          this.asked.push(`${told?.kind} ${what(told)}`)
          done(
            adds && this.refuses !== null ? new OpError('RTM', this.refuses, '') : new Uint8Array(),
          )
        },
      },
      get kernel() {
        return kernel()
      },
      claim: (objects) => {
        this.claims.push(objects)
        return this.records
      },
      rescheduled: () => {
        this.rescheduled += 1
      },
    })
  }

  /** Since the last time. */
  take(): readonly string[] {
    return this.asked.splice(0)
  }
}

function what(told: ReturnType<typeof decodeMessages>[number] | undefined): string {
  if (told === undefined) return ''
  if (told.kind === 'newaddr' || told.kind === 'deladdr')
    return `${told.address.address}/${told.address.prefixLength}`
  return 'text' in told ? told.text.replace(/ table.*/, '').replace(/ from all.*/, '') : ''
}

const statics = (lines: {
  readonly addresses?: readonly string[]
  readonly routes?: readonly string[]
  readonly rules?: readonly string[]
}): Statics => {
  const of = (name: string, all: readonly string[] = []) => `${name} {\n ${all.join('\n ')}\n}\n`
  const text = `${of('static_ipaddress', lines.addresses)}${of('static_routes', lines.routes)}${of('static_rules', lines.rules)}`
  const { config } = check(text + instanceText())
  assert.ok(config !== null)
  return config.statics
}

const some = statics({
  addresses: ['10.50.0.1/24 dev eth1', '10.50.0.2/24 dev eth1'],
  routes: ['192.0.2.0/24 via 10.50.0.9 dev eth1', '192.0.3.0/24 dev eth1 no_track'],
  rules: ['from 192.0.2.0/24 table 300 priority 5'],
})
const set = [
  'newaddr 10.50.0.1/24',
  'newaddr 10.50.0.2/24',
  'newroute 192.0.2.0/24',
  'newroute 192.0.3.0/24',
]
const routeIdentity = 'route 254 192.0.2.0/24 tos 0 metric 0'
const routeGone = (identity: string, replaced = false) =>
  ({ kind: 'entry-gone', identity, replaced }) as const

test('set in order, removed backwards; a reload writes what differs', () => {
  const table = new Table()
  table.entries.set(some)
  const first = table.take()
  assert.deepEqual(first.slice(0, 4), set)
  assert.match(first[4] ?? '', /^newrule/)
  table.entries.set(some)
  assert.deepEqual(table.take(), [])
  table.entries.set({ ...some, routes: some.routes.slice(1) })
  assert.deepEqual(table.take(), ['delroute 192.0.2.0/24'])
  table.entries.set(noStatics)
  assert.deepEqual(
    table.take().map((it) => it.split(' ')[0]),
    ['delrule', 'delroute', 'deladdr', 'deladdr'],
  )
  assert.deepEqual(table.claims.at(-1), [])
})

test('nothing is asked of the kernel before the record names it', async () => {
  const table = new Table()
  table.records = false
  table.entries.set(some)
  assert.deepEqual(table.take(), [])
  const settled = table.entries.settled()
  table.records = true
  table.entries.recorded()
  await settled
  assert.equal(table.take().length, 5)
})

test('put back when removed, in the order of the file, and with an address its routes; no_track is not', () => {
  const table = new Table()
  table.entries.set(some)
  table.take()
  table.entries.onKernel([routeGone(routeIdentity)])
  assert.deepEqual(table.take(), ['newroute 192.0.2.0/24'])
  table.entries.onKernel([routeGone(routeIdentity.replace('2.0', '3.0'))])
  assert.deepEqual(table.take(), [])
  const gone = (text: string) =>
    ({ kind: 'address', held: address(4, text), present: false, foreign: false }) as const
  table.entries.onKernel([gone('10.50.0.2'), gone('10.50.0.1')])
  assert.deepEqual(table.take(), set)
  assert.equal(table.logged.length, 3)
})

test('replaced by another program: put back, and said', () => {
  const table = new Table()
  table.entries.set(some)
  table.take()
  table.entries.onKernel([routeGone(routeIdentity, true)])
  assert.deepEqual(table.take(), ['newroute 192.0.2.0/24'])
  assert.match(
    table.logged[0] ?? '',
    /192\.0\.2\.0\/24 .* was replaced by another program: put back/,
  )
})

test('a static address that another program altered is set again', () => {
  const table = new Table()
  table.entries.set(some)
  table.take()
  const terms = { validSeconds: 5, preferredSeconds: 5, noprefixroute: false, unmarked: false }
  const told = { kind: 'address-altered', held: address(4, '10.50.0.2'), terms } as const
  table.entries.onKernel([told])
  assert.deepEqual(table.take(), ['newaddr 10.50.0.2/24', ...set.slice(2)])
  assert.match(table.logged[0] ?? '', /10\.50\.0\.2.* was altered by another program/)
  table.entries.onKernel([
    { ...told, terms: { ...terms, validSeconds: null, preferredSeconds: null } },
  ])
  assert.deepEqual(table.take(), [])
})

test('a program that insists makes it wait its turn, and status names it', () => {
  const table = new Table()
  table.entries.set(some)
  table.take()
  for (let i = 0; i < 30; i++) table.entries.onKernel([routeGone(routeIdentity)])
  assert.equal(table.take().length, 20)
  const due = table.entries.dueAt(us(0))
  assert.ok(due !== null && due > 0)
  table.time = due
  table.entries.tick(due)
  assert.deepEqual(table.take(), ['newroute 192.0.2.0/24'])
  assert.match(table.entries.warnings(due).join('\n'), /192\.0\.2\.0\/24 .* was removed 10 times/)
})

test('what the kernel refuses is said, and asked for again ever later', () => {
  const table = new Table()
  table.refuses = 'ENETUNREACH'
  const only = statics({ routes: ['192.0.2.0/24 via 10.50.0.9 dev eth1'] })
  table.entries.set(only)
  assert.equal(table.entries.status[0]?.state, 'refused')
  assert.match(table.entries.warnings(us(0))[0] ?? '', /ENETUNREACH/)
  assert.equal(table.entries.dueAt(us(0)), 1_000_000)
  table.time = 1_000_000
  table.entries.tick(us(1_000_000))
  assert.equal(table.entries.dueAt(us(1_000_000)), 3_000_000)
  assert.equal(table.logged.length, 1, 'once')
  table.refuses = null
  table.entries.tick(us(3_000_000))
  assert.equal(table.entries.status[0]?.state, 'set')
  assert.equal(table.entries.dueAt(us(3_000_000)), null)
})

test('an interface that is absent: its entries wait, follow it, and are set again when it was down', () => {
  const table = new Table()
  const [eth0, eth1 = eth0] = table.links
  table.links = eth0 === undefined ? [] : [eth0]
  table.entries.set(some)
  assert.equal(table.take().length, 1, 'the rule')
  assert.deepEqual(
    table.entries.status.map(({ state }) => state),
    ['waiting', 'waiting', 'waiting', 'waiting', 'set'],
  )
  assert.ok(eth0 !== undefined && eth1 !== undefined)
  table.links = [eth0, eth1]
  table.entries.onKernel([
    { kind: 'link', name: 'eth1', before: null, after: { ...eth1, up: false } },
  ])
  assert.deepEqual(table.take(), set)
  table.entries.onKernel([
    { kind: 'link', name: 'eth1', before: { ...eth1, up: false }, after: eth1 },
  ])
  assert.equal(table.take().length, 5)
})

test('an address of another program is neither set nor removed; when that removes it, ours takes its place', () => {
  const table = new Table()
  table.held = [address(4, '10.50.0.1')]
  table.entries.set(some)
  assert.equal(table.take()[0], set[1])
  assert.equal(table.entries.status[0]?.state, 'foreign')
  const gone = address(4, '10.50.0.1')
  table.held = []
  table.entries.onKernel([{ kind: 'address', held: gone, present: false, foreign: true }])
  assert.deepEqual(table.take(), [set[0]])
})

test('a route that an instance holds too stays when it is static no more', () => {
  const table = new Table()
  table.entries.set(some)
  table.take()
  table.shared.hold(1, [{ identity: routeIdentity }])
  table.entries.set({ ...some, routes: some.routes.slice(1) })
  assert.deepEqual(table.take(), [])
})

test('another process goes on with what it finds, and with what was refused', () => {
  const before = new Table()
  before.refuses = 'ENETUNREACH'
  before.entries.set(some)
  const after = new Table()
  after.entries.adopt(some, JSON.parse(JSON.stringify(before.entries.snapshot())))
  assert.deepEqual(after.take(), [])
  assert.equal(after.entries.dueAt(us(0)), 1_000_000)
  after.entries.set(noStatics)
  assert.equal(after.take().length, 5)
})
