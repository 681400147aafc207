import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check, findings, instanceText, only } from './reading.ts'

const withProcess = (lines: string, track = 'p') =>
  check(`vrrp_track_process p {\n${lines}\n}\n${instanceText(`track_process {\n ${track}\n }`)}`)
const withFile = (lines: string, track = 'f') =>
  check(`track_file f {\n${lines}\n}\n${instanceText(`track_file {\n ${track}\n }`)}`)

test('vrrp_track_process: name, arguments, quorum and delays', () => {
  const bare = withProcess('process httpd')
  assert.deepEqual(findings(bare), [])
  const [script] = bare.config?.scripts ?? []
  assert.equal(script?.name, 'process/p')
  assert.deepEqual(script?.run.command, {
    kind: 'processes',
    name: 'httpd',
    full: false,
    parameters: null,
    match: 'exact',
    least: 1,
    most: Number.POSITIVE_INFINITY,
    gainDelayMs: 0,
    lossDelayMs: 0,
  })
  const [tracked] = only(bare).trackChecks
  assert.deepEqual([tracked?.kind, tracked?.name, tracked?.weight], ['process', 'process/p', 0])
  const full = withProcess(
    'process /usr/sbin/httpd -k "a b"\nparam_match partial\nweight -20\nquorum 2\nquorum_max 5\ndelay 0.25',
  )
  const command = full.config?.scripts[0]?.run.command
  assert.ok(command?.kind === 'processes')
  assert.deepEqual(
    [command.full, command.parameters, command.match, command.least, command.most],
    [true, ['-k', 'a b'], 'partial', 2, 5],
  )
  assert.deepEqual([command.gainDelayMs, command.lossDelayMs], [250, 250])
  assert.equal(only(full).trackChecks[0]?.weight, -20)
  assert.equal(only(withProcess('process x', 'p weight 254 reverse')).trackChecks[0]?.reverse, true)
})

test('track_file: the number times the weight, and what it holds at start', () => {
  const bare = withFile('file "/run/f"')
  assert.deepEqual(bare.config?.scripts[0]?.run.command, { kind: 'value', path: '/run/f' })
  assert.equal(bare.config?.scripts[0]?.initialValue, null)
  assert.equal(only(bare).trackChecks[0]?.weight, 1)
  assert.match(bare.text, /\+1 × what file\/f holds → 1\.\.254/)
  const initial = (line: string) =>
    withFile(`file /run/f\n${line}`).config?.scripts[0]?.initialValue
  assert.deepEqual(initial('init_file'), { value: 0, overwrite: false })
  assert.deepEqual(initial('init_file overwrite 7'), { value: 7, overwrite: true })
  assert.deepEqual(initial('init_file 3 5'), { value: 5, overwrite: false })
})

/** Asked of keepalived 2.2.7, with the file there and not, by `-t` and by the daemon: what it writes. */
test('init_file: what is wrong in it is named, and the rest of the line counts', () => {
  const rows: readonly (readonly [
    line: string,
    value: number,
    overwrite: boolean,
    code: string,
  ])[] = [
    ['-300 overwrite', -300, true, 'bad-number@3'],
    ['300', 300, false, 'bad-number@3'],
    ['-2147483648', -2147483648, false, 'bad-number@3'],
    ['2147483648 overwrite', 0, true, 'bad-number@3'],
    ['7x', 0, false, 'bad-number@3'],
    ['0x10', 0, false, 'bad-number@3'],
    ['seven', 0, false, 'unknown-word@3'],
    ['abc 7 overwrite', 7, true, 'unknown-word@3'],
    ['+5', 0, false, 'unknown-word@3'],
  ]
  for (const [line, value, overwrite, code] of rows) {
    const report = withFile(`file /run/f\ninit_file ${line}`)
    assert.deepEqual(report.config?.scripts[0]?.initialValue, { value, overwrite }, line)
    assert.deepEqual(findings(report), [code], line)
  }
})

test('what is not defined, defined twice, or says nothing', () => {
  assert.deepEqual(findings(withFile('file /f', 'g')), ['unused-script@1', 'unknown-tracker@8'])
  assert.deepEqual(findings(withProcess('weight 3')), ['missing-operand@1', 'unknown-tracker@8'])
  const twice = 'track_file f {\n file /a\n}\ntrack_file f {\n file /b\n}\n'
  assert.deepEqual(findings(check(twice + instanceText('track_file {\n f\n }'))), ['duplicate@4'])
  assert.deepEqual(findings(withProcess('process x\nquorum 3\nquorum_max 2')), ['bad-number@4'])
})

test('the same name for a script, a process and a file is three checks', () => {
  const text = `vrrp_script x {\n probe push\n}\nvrrp_track_process x {\n process x\n}\ntrack_file x {\n file /x\n}\n`
  const track = 'track_script {\n x\n }\n track_process {\n x\n }\n track_file {\n x weight 0\n }'
  const report = check(text + instanceText(track))
  assert.deepEqual(findings(report), [])
  assert.deepEqual(
    only(report).trackChecks.map(({ name }) => name),
    ['x', 'process/x', 'file/x'],
  )
})

const session = 'bfd_instance b {\n neighbor_ip 10.0.0.2\n source_ip 10.0.0.1\n weight -20\n}\n'
const trackingBfd = (line: string) => check(session + instanceText(`track_bfd {\n ${line}\n }`))

test('bfd_instance: defaults, intervals to the microsecond, the older words', () => {
  const bare = trackingBfd('b')
  assert.deepEqual(findings(bare), [])
  const [b] = bare.config?.bfd ?? []
  assert.deepEqual(
    [b?.name, b?.neighbor, b?.source, b?.minTxUs, b?.minRxUs, b?.idleTxUs, b?.multiplier],
    ['bfd/b', '10.0.0.2', '10.0.0.1', 100_000, 100_000, 1_000_000, 3],
  )
  const written = check(
    'bfd_instance c {\n neighbour_ip fd77::2\n min_rx 12.345\n min_tx 20\n idle_tx 2000\n multiplier 5\n passive\n hoplimit 64\n max_hops 2\n multihop on\n vrrp\n}\n' +
      instanceText(),
  )
  assert.deepEqual(findings(written), [])
  const [c] = written.config?.bfd ?? []
  const { place: _, ...rest } = c ?? { place: null }
  assert.deepEqual(rest, {
    name: 'bfd/c',
    neighbor: 'fd77::2',
    source: null,
    minRxUs: 12_345,
    minTxUs: 20_000,
    idleTxUs: 2_000_000,
    multiplier: 5,
    passive: true,
    ttl: 64,
    maxHops: 2,
    multihop: true,
    weight: 0,
    reverse: false,
  })
})

test('track_bfd: its own weight, the one written here, takeover', () => {
  const of = (line: string) => {
    const [
      { kind, name, weight, reverse, takeover } = only(trackingBfd('b')).trackChecks[0] ?? {},
    ] = only(trackingBfd(line)).trackChecks
    return [kind, name, weight, reverse, takeover]
  }
  assert.deepEqual(of('b'), ['bfd', 'bfd/b', -20, false, undefined])
  assert.deepEqual(of('b weight 10 reverse'), ['bfd', 'bfd/b', 10, true, undefined])
  // What only takes over counts for nothing else: a fault would hold the survivor.
  assert.deepEqual(of('b takeover'), ['bfd', 'bfd/b', 0, false, true])
  assert.deepEqual(of('b weight 5 takeover'), ['bfd', 'bfd/b', 5, false, true])
})

test('bfd_instance: what cannot be a session is ignored, and named', () => {
  const bad = (lines: string, more = '') =>
    findings(check(`bfd_instance b {\n${lines}\n}\n${more}${instanceText()}`)).map(String)
  assert.match(bad('min_rx 50').join(), /missing-operand/)
  assert.match(bad('neighbor_ip 10.0.0.2\n source_ip fd77::1').join(), /address-family/)
  const twice = 'bfd_instance c {\n neighbor_ip 10.0.0.2\n}\n'
  assert.match(bad('neighbor_ip 10.0.0.2', twice).join(), /duplicate/)
  const from = (last: number, more = '') =>
    `neighbor_ip 10.0.0.2\n source_ip 10.0.0.${last}\n ${more}`
  const other = (lines: string) => `bfd_instance c {\n${lines}\n}\n`
  assert.match(bad(from(1), other(from(1))).join(), /duplicate/)
  assert.match(bad(from(1), twice).join(), /duplicate/)
  // Its packets tell by their destination, or by their port, whose they are.
  assert.deepEqual(bad(from(1), other(from(3))), [])
  assert.deepEqual(bad(from(1), other(from(1, 'multihop'))), [])
  assert.match(
    findings(check(instanceText('track_bfd {\n b\n }')))
      .map(String)
      .join(),
    /unknown-tracker/,
  )
})
