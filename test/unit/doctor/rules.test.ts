/** Every code of `vipd doctor`: a host on which nothing is wrong, and what has to be changed for each finding. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Code, codes, verdictOf } from '../../../src/doctor/codes.ts'
import { diagnose } from '../../../src/doctor/diagnose.ts'
import type { Facts } from '../../../src/doctor/facts.ts'
import { packageRoot } from '../../config/ask-both.ts'
import {
  away,
  instance,
  link,
  running,
  sysctl,
  well,
  withHost,
  withInstance,
  withLease,
  withLink,
  withRunning,
} from './host-facts.ts'
import {
  afterSilence,
  held,
  keepalived,
  led,
  second,
  signed,
  situations,
  six,
  strict,
  table,
  twins,
} from './situations.ts'

/** Of the daemon that is away it is said each time. */
const others: Readonly<Partial<Record<Code, readonly Code[]>>> = {
  'vipd-table': ['daemon-away'],
  'left-address': ['daemon-away'],
}

const found = (facts: Facts): readonly Code[] => diagnose(facts).map(({ code }) => code)

describe('doctor: the rules', () => {
  test('a host on which nothing is wrong', () => {
    assert.deepEqual(diagnose(well), [])
    assert.equal(verdictOf([]), 0)
  })

  for (const [code, facts] of Object.entries(situations) as [Code, Facts][])
    test(`${code}: it alone, with the severity that scripts rely on`, () => {
      const expected = [code, ...(others[code] ?? [])].sort()
      assert.deepEqual([...found(facts)].sort(), expected)
      for (const finding of diagnose(facts)) {
        assert.equal(finding.severity, codes[finding.code].severity)
        assert.doesNotMatch(`${finding.what} ${finding.mend}`, /undefined|null|NaN/)
      }
    })

  test('what makes none of it', () => {
    const quiet: readonly Facts[] = [
      withHost({ ...strict, links: [link, { ...second, flags: [] }] }),
      withHost({ ...twins, ...sysctl('net/ipv4/conf/all/rp_filter', '2') }),
      withInstance({ version: 3, advertised: 3 }, withLink({ mtu: 40 })),
      withRunning({ ...led, adverts: { ...running.adverts, received: 1 } }),
      withRunning(afterSilence),
      signed(5),
      withInstance({ group: '224.0.0.18' }, { links: [{ ...link, snooping: true }] }),
      withInstance(six, { ruleset: null }),
      withInstance({ downTimerAdverts: 5 }),
      withLease(instance),
    ]
    for (const facts of quiet) assert.deepEqual(found(facts), [])
    const beside = away({ ...held, keepalived: [{ ...keepalived, instances: null }] })
    assert.ok(!found(beside).includes('left-address'))
    const theirs = { ...keepalived, instances: [{ ...instance, vrid: 9 }] }
    assert.ok(!found(away({ ...held, keepalived: [theirs] })).includes('left-address'))
    const lives: Facts = {
      ...away({ ruleset: table('vipd_run_0123456789ab') }),
      others: [{ kind: 'vipd', where: '/run/vipd-x', instances: [] }],
    }
    assert.ok(!found(lives).includes('vipd-table'))
  })

  test('kernel-feature: each kind of link', () => {
    for (const facts of [
      withInstance({ vmac: true }, { hasMacvlan: false, hasIpvlan: true }),
      withInstance({ ipvlan: true }, { hasMacvlan: true, hasIpvlan: false }),
    ])
      assert.deepEqual(found(facts), ['kernel-feature'])
    assert.deepEqual(found(withInstance({ ipvlan: true }, { hasIpvlan: null })), [])
  })

  test('exit status: notes do not count; errors come first', () => {
    const both = withHost({ memoryLimit: 1, ...withLink({ flags: ['UP'] }) })
    assert.deepEqual(found(both), ['no-multicast', 'memory-limit'])
    assert.equal(verdictOf(diagnose(both)), 2)
    assert.equal(verdictOf(diagnose(withHost({ memoryLimit: 1 }))), 1)
    assert.equal(verdictOf(diagnose(withHost({ networkManager: ['eth0'] }))), 0)
  })

  test('docs/doctor.md lists each code with its severity', () => {
    const text = readFileSync(join(packageRoot, 'docs/doctor.md'), 'utf8')
    const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` \| (\w+) \|/gm)]
    const listed = rows.map(([, code = '', severity = '']) => [code, severity])
    const known = Object.entries(codes).map(([code, { severity }]) => [code, severity])
    assert.deepEqual(listed.sort(), known.sort())
  })
})
