/**
 * Small files, one for each kind of difference that was found between vipd and keepalived 2.2.7: the same exit status
 * as the installed keepalived, and the values that its dump and its adverts show.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import type { Config, Instance } from '../../src/config/types.ts'
import { check } from '../unit/config/reading.ts'
import { askBoth, packageRoot } from './ask-both.ts'

const folder = join(packageRoot, 'test/config/minimal')
const names = readdirSync(folder).sort()

const only = ({ instances }: Config): Instance => {
  const [first] = instances
  assert.ok(first !== undefined && instances.length === 1)
  return first
}
const addressesOf = (config: Config) =>
  only(config).addresses.map((a) => [a.address, a.prefixLength, a.label, a.preferredSeconds])
const commandOf = (config: Config) => config.scripts[0]?.run.command

/** What keepalived shows for the file, as values of the configuration. */
const shown: Readonly<Record<string, (config: Config) => void>> = {
  '01-notify-deleted-alone.conf': (config) => {
    const { notify } = only(config)
    assert.deepEqual([notify.saysDeleted, notify.deleted], [true, null])
  },
  '02-quorum-max-0.conf': (config) => {
    const command = commandOf(config)
    assert.ok(command?.kind === 'processes')
    assert.deepEqual([command.least, command.most], [0, 0])
  },
  '03-min-ttl-alone.conf': (config) => {
    const { transport } = only(config)
    assert.ok(transport.kind === 'unicast' && transport.checkSource)
  },
  '04-duplicate-address.conf': (config) =>
    assert.deepEqual(addressesOf(config), [
      ['10.0.0.1', 32, null, null],
      ['10.0.0.2', 32, null, null],
      ['10.0.0.2', 32, 'eth0:1', null],
    ]),
  '06-version-twice.conf': (config) => assert.equal(only(config).version, 3),
  '09-garp-lower-default.conf': (config) => {
    const { masterDelayUs, masterRepeat, lowerPrioDelayUs, lowerPrioRepeat } = only(config).garp
    assert.deepEqual(
      [masterDelayUs, masterRepeat, lowerPrioDelayUs, lowerPrioRepeat],
      [0, 2, 5_000_000, 5],
    )
  },
  '10-mail-without-server.conf': (config) => assert.equal(config.globals.mail, null),
  '11-init-file-range.conf': (config) =>
    assert.deepEqual(config.scripts[0]?.initialValue, { value: -300, overwrite: true }),
  '13-old-spellings.conf': () => {},
  // The peer with a prefix length is what newer versions take: docs/compatibility-corpus.md.
  '14-address-forms.conf': (config) => {
    assert.deepEqual(addressesOf(config), [
      ['10.0.0.2', 32, null, null],
      ['10.0.0.3', 32, null, null],
      ['10.0.0.4', 24, null, null],
    ])
    assert.deepEqual(
      only(config).addresses.map((a) => a.peer?.address),
      ['10.0.0.7', '10.0.0.8', undefined],
    )
  },
  '15-unicast-ttl-0.conf': (config) => {
    const { transport } = only(config)
    assert.ok(transport.kind === 'unicast')
    assert.equal(transport.ttl, 1)
  },
  '16-advert-int-rounding.conf': (config) => assert.equal(only(config).advertIntervalUs, 1_010_000),
}

test('each file is one that keepalived was asked about', () => {
  assert.deepEqual(Object.keys(shown).sort(), names)
})

for (const { path, keepalived, vipd } of askBoth(names.map((name) => join(folder, name)))) {
  const name = basename(path)
  test(`${name}: exit status and values`, () => {
    assert.equal(vipd.exit, keepalived.exit, keepalived.log)
    const text = readFileSync(path, 'utf8')
    const { config } = check(text)
    assert.ok(config !== null)
    shown[name]?.(config)
  })
}
