/** Tables of objects: what is asked for, and what comes next, against a list of all of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOther, answerReading } from '../../../../src/surfaces/snmp/answer.ts'
import { Mib, scalars, table } from '../../../../src/surfaces/snmp/tables.ts'
import { column, integer } from '../../../../src/surfaces/snmp/values.ts'
import type { Binding } from '../../../../src/wire/agentx-parts.ts'
import { compareOids, isWithin, type Oid, oid } from '../../../../src/wire/oid.ts'
import { fc } from '../../../property.ts'

type Made = { readonly mib: Mib; readonly all: readonly Binding[] }

/** A row has an object in a column unless its number is among `holes`. */
const small = fc.integer({ min: 0, max: 4 })
const entry = fc.array(small, { minLength: 1, maxLength: 2 })
const tables = fc.array(
  fc.record({
    entry,
    columns: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 3 }),
    rows: fc.uniqueArray(fc.array(small, { minLength: 1, maxLength: 2 }), {
      maxLength: 5,
      selector: (index) => index.join('.'),
    }),
    holes: fc.uniqueArray(fc.nat(14), { maxLength: 8 }),
  }),
  { maxLength: 4 },
)

const made: fc.Arbitrary<Made> = tables.map((specs) => {
  const all = new Map<string, Binding>()
  // A name belongs to the first table in order of the entries.
  const sorted = [...specs].sort((a, b) => compareOids(a.entry, b.entry))
  const list = sorted.map(({ entry: at, columns, rows, holes }) => {
    const numbers = [...columns].sort((a, b) => a - b)
    const numbered = rows.map((index, row) => ({ index, row }))
    const has = (columnAt: number, row: number) => !holes.includes(columnAt * 5 + row)
    for (const [c, number] of numbers.entries())
      for (const { index, row } of numbered)
        if (has(c, row)) {
          const name = [...at, number, ...index]
          const value = integer(row)
          if (!all.has(name.join('.'))) all.set(name.join('.'), { name, value })
        }
    return table(
      at,
      numbers.map((number, c) =>
        column(number, `c${number}`, (row: number) => (has(c, row) ? integer(row) : null)),
      ),
      numbered,
    )
  })
  const bindings = [...all.values()].sort((a, b) => compareOids(a.name, b.name))
  return { mib: new Mib(list), all: bindings }
})

const anyOid = fc.array(small, { maxLength: 6 })

test('next and get find what a list of all objects has', () => {
  fc.assert(
    fc.property(made, anyOid, fc.boolean(), anyOid, ({ mib, all }, start, include, end) => {
      const after = (name: Oid) => compareOids(name, start) > (include ? -1 : 0)
      const wanted = all.find(({ name }) => after(name))
      const beyond = wanted === undefined || (end.length > 0 && compareOids(wanted.name, end) >= 0)
      const expected = beyond ? { name: start, value: { type: 'endOfMibView' } } : wanted
      const found = mib.next({ start, include, end })
      assert.deepEqual(found.name, expected.name)
      assert.equal(found.value.type, expected.value.type)
      const asked = all.find(({ name }) => compareOids(name, start) === 0)
      const { value } = mib.get(start)
      if (asked === undefined) assert.match(value.type, /^noSuch/)
      else assert.equal(value.type, 'integer')
      for (const { name, value } of all) assert.deepEqual(mib.get(name), { name, value })
    }),
    { numRuns: 2_000 },
  )
})

const row = { index: [1], row: 0 }
const hole = column(3, 'c', () => null)
const mib = new Mib([
  scalars(oid('1.1'), [column(1, 'a', () => integer(1)), column(6, 'b', () => integer(6))], null),
  table(oid('1.1.3.1'), [column(2, 'c', () => integer(32)), hole], [row]),
])
const head = { session: 1, transaction: 1, packet: 1, context: null }
const range = (start: string, end = '') => ({
  ...{ start: oid(start), include: false },
  end: end === '' ? [] : oid(end),
})

test('what is not there: no such object, no such instance', () => {
  const type = (name: string) => mib.get(oid(name)).value.type
  assert.deepEqual(
    ['1.1.1.0', '1.1.1.1', '1.1.2.0', '1.1.3.1.2.1', '1.1.3.1.2.2', '1.1.3.1.3.1', '1.2'].map(type),
    [
      ...['integer', 'noSuchInstance', 'noSuchObject', 'integer', 'noSuchInstance'],
      ...['noSuchInstance', 'noSuchObject'],
    ],
  )
})

test('a bulk request: once, then again and again, until nothing is left or it is enough', () => {
  const bulk = (nonRepeaters: number, maxRepetitions: number, ...starts: string[]) =>
    answerReading(mib, {
      ...head,
      ...{ kind: 'getBulk', nonRepeaters, maxRepetitions },
      ranges: starts.map((start) => range(start, '1.2')),
    }).bindings.map(({ name, value }) => `${name.join('.')} ${value.type}`)
  assert.deepEqual(bulk(1, 2, '1', '1.1.1.0'), [
    '1.1.1.0 integer',
    '1.1.3.1.2.1 integer',
    '1.1.6.0 integer',
  ])
  assert.deepEqual(bulk(0, 60_000, '1.1.3', '1.1.6'), [
    '1.1.3.1.2.1 integer',
    '1.1.6.0 integer',
    '1.1.6.0 integer',
    '1.1.6.0 endOfMibView',
    '1.1.6.0 endOfMibView',
    '1.1.6.0 endOfMibView',
  ])
  assert.deepEqual(bulk(2, 10, '1.1.6.0'), ['1.1.6.0 endOfMibView'])
  const rows = Array.from({ length: 3_000 }, (_, at) => ({ index: [at + 1], row: at }))
  const large = new Mib([table(oid('1.1'), [column(2, 'n', integer)], rows)])
  const { bindings } = answerReading(large, {
    ...head,
    ...{ kind: 'getBulk', nonRepeaters: 0, maxRepetitions: 65_535, ranges: [range('1')] },
  })
  assert.equal(bindings.length, 1_000)
  assert.ok(bindings.every(({ name }) => isWithin(name, oid('1.1.2'))))
})

test('nothing can be set, and what needs no answer gets none', () => {
  const testSet = { ...head, kind: 'testSet', bindings: [] } as const
  assert.deepEqual(answerOther(testSet), { error: 17, index: 1, bindings: [] })
  assert.equal(answerOther({ ...head, kind: 'cleanupSet' }), null)
  assert.equal(answerOther({ ...head, kind: 'commitSet' })?.error, 14)
  assert.equal(answerOther({ ...head, kind: 'undoSet' })?.error, 0)
  assert.equal(answerOther({ ...head, kind: 'ping' })?.error, 267)
})
