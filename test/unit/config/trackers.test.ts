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

test('track_bfd: the instance is not run, and it is said why', () => {
  const text = 'bfd_instance b {\n neighbor_ip 10.0.0.2\n}\n'
  const report = check(text + instanceText('track_bfd {\n b\n }'))
  assert.equal(report.config?.instances.length ?? 0, 0)
  assert.match(report.text, /V is left out: track_bfd is not supported: vipd speaks no BFD/)
  const group = 'vrrp_sync_group G {\n group {\n V\n }\n track_bfd {\n b\n }\n}\n'
  const both = check(text + group + instanceText())
  assert.equal(both.config?.instances.length ?? 0, 0)
})
