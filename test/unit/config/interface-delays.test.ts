import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText } from './reading.ts'

const delays = (lines: string, instance = instanceText('advert_int 1')) => {
  const report = check(`interface_up_down_delays {\n${lines}\n}\n${instance}`)
  const found = report.config?.globals.interfaceDelays.map(
    ({ interface: name, downUs, upUs }) => `${name} ${downUs} ${upUs}`,
  )
  return { found, findings: findings(report), text: report.text }
}

test('DOWN and UP are read to the microsecond; UP is 0 where it is left out', () => {
  assert.deepEqual(delays('eth0 1.5 2.000001\neth1 255'), {
    ...delays('eth0 1.5 2.000001\neth1 255'),
    found: ['eth0 1500000 2000001', 'eth1 255000000 0'],
    findings: [],
  })
})

test('DOWN is cut to what a peer waits for, and that is said', () => {
  const cut = delays('eth0 3 4')
  assert.deepEqual(cut.found, ['eth0 1996094 4000000'])
  assert.deepEqual(cut.findings, ['delay-cut@2'])
  const never = delays('eth0 3 4', instanceText('down_timer_adverts 1'))
  assert.deepEqual(never.found, ['eth0 0 4000000'])
})

test('lines that cannot be used are reported with their place and left out', () => {
  for (const [line, code] of [
    ['eth0', 'missing-value'],
    ['eth0 256', 'bad-number'],
    ['eth0 1 x', 'bad-number'],
    ['eth0 -1', 'bad-number'],
  ] as const) {
    const { found, findings } = delays(line)
    assert.deepEqual([line, found, findings], [line, [], [`${code}@2`]])
  }
  assert.deepEqual(delays('eth0 1\neth0 2').findings, ['duplicate@3'])
  assert.deepEqual(delays('eth0 1 2 3').findings, ['extra-words@2'])
  assert.equal(delays('eth7 1').found, undefined, 'an interface that does not exist is no daemon')
})
