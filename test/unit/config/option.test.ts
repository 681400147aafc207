/** The tables of plain options: what is inherited, what strict mode does, and that a table and its type belong together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Garp } from '../../../src/config/announcements.ts'
import type { Argument } from '../../../src/config/grammar/entries.ts'
import * as kinds from '../../../src/config/grammar/kinds.ts'
import { type Option, Options } from '../../../src/config/grammar/option.ts'
import { garpOptions } from '../../../src/config/keywords/announcements.ts'
import { instanceOptions } from '../../../src/config/keywords/instance-options.ts'
import { notifyOptions } from '../../../src/config/keywords/notify.ts'
import { unicastOptions } from '../../../src/config/keywords/unicast.ts'
import type { NotifyOptions } from '../../../src/config/notify.ts'
import type { Instance, InstanceOptions } from '../../../src/config/types.ts'
import { check, findings, instanceText, only } from './reading.ts'

/** Two words that the argument takes; a bare keyword has none. */
function wordsOf(argument: Argument | undefined): readonly [string, string] {
  switch (argument?.kind) {
    case 'integer':
    case 'decimal':
      return [`${Math.max(argument.min, 1)}`, `${Math.max(argument.min, 1) + 1}`]
    case 'choice':
      return [argument.values.at(-1) ?? '', argument.values[0] ?? '']
    case 'switch':
      return ['on', 'off']
    default:
      return ['', '']
  }
}

const inGlobals = (line: string) => `global_defs {\n ${line}\n}\n`
const peer = 'unicast_peer {\n 10.0.0.9\n }'

type Read = (one: Instance) => unknown

function inherits<R extends object, C>(
  name: string,
  options: Options<R, C>,
  read: (field: keyof R) => Read,
) {
  test(`an instance has what global_defs says unless it says otherwise: ${name}`, () => {
    for (const field of options.fields) inheritsOne(options.rows[field], read(field))
  })
}

function inheritsOne<R, F extends keyof R, C>(option: Option<R, F, C>, read: Read): void {
  const { name, global } = option
  if (global === undefined) return
  const [one, other] = wordsOf((global.takes ?? option.takes).args[0])
  const value = (shared: string, own: string) =>
    read(only(check(`${inGlobals(shared)}${instanceText(`${own}\n ${peer}`)}`)))
  for (const word of [one, other]) {
    const shared = value(`${global.name} ${word}`, '')
    if (word === one && one !== other) {
      const contrary = value(`${global.name} ${other}`, '')
      assert.notDeepEqual(contrary, shared, `${global.name} has no effect`)
    }
    if (name === null) continue
    assert.deepEqual(value('', `${name} ${word}`), shared, `${name} ${word}`)
    const own = value(`${global.name} ${word === one ? other : one}`, `${name} ${word}`)
    assert.deepEqual(own, shared, `${name} overrules ${global.name}`)
  }
}

inherits('behaviour', instanceOptions, (field) => (one) => one[field])
inherits('announcements', garpOptions, (field) => (one) => one.garp[field])
inherits('notification', notifyOptions, (field) => (one) => one.notify[field])
inherits('unicast', unicastOptions, (field) => ({ transport }) => {
  assert.ok(transport.kind === 'unicast')
  return transport[field]
})

test('strict mode has its own value of an option, wherever another one is written', () => {
  const strictly = (text: string) => only(check(text))
  const forced: Partial<InstanceOptions & Garp> = {}
  for (const [name, table] of Object.entries({ instanceOptions, garpOptions })) {
    for (const [field, { strict }] of Object.entries(table.rows))
      if (strict !== undefined) Object.assign(forced, { [field]: strict.value })
    assert.notEqual(Object.keys(forced).length, 0, name)
  }
  for (const lines of ['', 'higher_prio_send_advert on\n garp_lower_prio_repeat 3']) {
    const one = strictly(inGlobals('vrrp_strict\n vrrp_down_timer_adverts 9') + instanceText(lines))
    const has: Readonly<Record<string, unknown>> = { ...one.garp, ...one }
    for (const [field, value] of Object.entries(forced)) assert.deepEqual(has[field], value, field)
  }
})

test('what strict mode does not take is an error at its line, and at the instance where it is inherited', () => {
  const text = instanceText('strict_mode on\n down_timer_adverts 5\n garp_lower_prio_delay 4')
  assert.deepEqual(findings(check(text)).slice(0, 3), [
    'no-accept@1',
    'strict-mode@5',
    'strict-mode@6',
  ])
  const inherited = inGlobals('vrrp_strict\n vrrp_higher_prio_send_advert') + instanceText()
  assert.ok(findings(check(inherited)).includes('strict-mode@5'))
})

test('a table has a row for every field of its type and no other', () => {
  const { mail, priorityChanges } = notifyOptions.rows
  // @ts-expect-error: a field without a row
  const lacking = new Options<NotifyOptions>({ mail })
  // @ts-expect-error: a row without a field
  const surplus = new Options<NotifyOptions>({ mail, priorityChanges, other: mail })
  const wrong = new Options<NotifyOptions>({
    mail,
    // @ts-expect-error: a row of another type
    priorityChanges: { name: 'x', takes: kinds.whole('N', 0, 1), default: 1, doc: '' },
  })
  assert.deepEqual(
    [lacking, surplus, wrong].map(({ fields }) => fields.length),
    [1, 3, 2],
  )
})

test('a directory that is used from elsewhere is named from the root', () => {
  const dumps = (text: string) => check(`${inGlobals(`vipd_dumps ${text}`)}${instanceText('')}`)
  assert.equal(dumps('/tmp').config?.globals.dumpDirectory, '/tmp')
  const relative = dumps('tmp')
  assert.equal(relative.config?.globals.dumpDirectory, null)
  assert.ok(relative.diagnostics.some(({ code }) => code === 'bad-text'))
})
