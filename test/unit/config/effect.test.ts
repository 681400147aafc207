/** A keyword that is called supported has an effect: it sets a field, and something that acts reads the field. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { keywords } from '../../../src/config/keywords/table.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

/** Everything that acts on a configuration; comparing one with another and printing it are no effect. */
const acting = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/^(config|base|lab|bench|plot)\//.test(file))
  .filter((file) => file !== 'router/reload/globals.ts')
  .map((file) => withoutComments(readFileSync(`${root}src/${file}`, 'utf8')))
  .join('\n')

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** Where the types of a configuration are declared: config/ itself, not the rooms below it. */
const declared = readdirSync(`${root}src/config`)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(`${root}src/config/${file}`, 'utf8'))
  .join('\n')

/** Fields of the types of a configuration, but for what only messages need. */
function fieldsOf(type: string): readonly string[] {
  const [, body = ''] =
    new RegExp(`export type ${type} = (?:\\w+ &\\s+)*\\{([\\s\\S]*?)\\n\\}`).exec(declared) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name = '']) => name)
}

/** Used while the configuration is made, so that nothing else has to ask; each with where. */
const usedInConfig = new Map([
  ['scriptSecurity', 'scripts/security.ts: a script that is not safe is left out'],
  ['dynamicInterfaces', 'draft/report.ts: an interface that is absent is no mistake'],
  ['scriptNoNewPrivs', 'scripts/security.ts: every command carries it'],
  ['strict', 'build/instance.ts: what strict mode forbids or sets'],
  [
    'stateMaster',
    'build/instance.ts: the default of the priority; RFC 9568 lets the election decide',
  ],
  ['trackingWeight', 'build/build.ts: whether weights are allowed'],
  ['faultNoPeer', 'build/instance.ts: without a peer the transport is unicast all the same'],
  ['place', 'messages'],
])

const types =
  'GlobalOptions IdentityOptions Globals MailOptions Mail Fifo ScriptOptions Script InstanceOptions Instance UnicastOptions Garp NotifyOptions Notify GroupOptions SyncGroup'

for (const type of types.split(' '))
  test(`every field of ${type} is read by something that acts`, () => {
    const fields = fieldsOf(type)
    assert.notEqual(fields.length, 0)
    const unread = fields.filter(
      (field) => !usedInConfig.has(field) && !new RegExp(`\\b${field}\\b`).test(acting),
    )
    assert.deepEqual(unread, [])
  })

/** Nothing to carry anywhere: vipd always does what they ask for. */
const always = new Set([
  'process_names',
  'random_seed',
  'max_auto_priority',
  'min_auto_priority_delay',
  'include_check',
  'use_symlink_paths',
  'reload_check_config',
  'timer_expired_backup',
  'track_src_ip',
  'init_fail',
  'vrrp',
  'nftables',
  'nftables_ifindex',
  'vrrp_iptables',
  'vrrp_ipsets',
])

test('every supported keyword sets something, or names what vipd does anyway', () => {
  const without = keywords.filter(
    ({ status, form, ...entry }) =>
      status === 'supported' && form !== 'block' && !('set' in entry) && !('each' in entry),
  )
  assert.deepEqual(
    without.map(({ name }) => name).filter((name) => !always.has(name)),
    [],
  )
})
