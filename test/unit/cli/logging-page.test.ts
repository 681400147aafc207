/** docs/logging.md shows what is written: the examples of each form, the names of fields, the bounds. */
import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { journalDatagram } from '../../../src/daemon/journal-entry.ts'
import { formatLine, openLog } from '../../../src/daemon/log.ts'
import { projectRoot } from '../../../src/lab/program.ts'

const page = readFileSync(join(projectRoot, 'docs/logging.md'), 'utf8')
const message = '(VI_1) Entering MASTER STATE: no master heard'
const fields = {
  instance: 'VI_1',
  from: 'backup',
  to: 'master',
  transition: 2,
  number: 41,
  cause: { kind: 'timeout', master: null },
}

test('the line of text', () => {
  const line = formatLine('info', message, fields, new Date(2026, 2, 1, 6, 40, 11, 42))
  assert.ok(page.includes(`\n${line}\n`), line)
})

test('the line of JSON', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vipd-logging-'))
  const fd = openSync(join(folder, 'log'), 'a')
  const log = openLog({ format: 'json', level: 'info', fd })
  log.info(message, fields)
  await log.flush()
  closeSync(fd)
  const written = readFileSync(join(folder, 'log'), 'utf8')
  rmSync(folder, { recursive: true })
  const shown = page.split('\n').find((line) => line.startsWith('{"level"')) ?? ''
  const keys = (line: string) => Object.keys(JSON.parse(line) as object)
  assert.deepEqual(keys(shown), keys(written))
  const { time, pid, ...rest } = JSON.parse(shown) as Record<string, unknown>
  assert.deepEqual(rest, { level: 'info', ...fields, msg: message })
})

test('the fields of an entry', () => {
  const more = { group: 'G', check: 'web', output: 'x', durationMs: 2, code: 'bad-number' }
  const text = journalDatagram({ priority: 6, text: message, fields: { ...fields, ...more } })
  for (const [, name = ''] of text.matchAll(/^((?:VIPD|SYSLOG_ID|PRIO)[A-Z_]*)=/gm))
    assert.ok(page.includes(`\`${name}\``), name)
  const long = journalDatagram({
    priority: 6,
    text: 'm'.repeat(100_000),
    fields: { output: 'o'.repeat(100_000) },
  })
  const lengthOf = (name: string) => new RegExp(`^${name}=([mo]*)…$`, 'm').exec(long)?.[1]?.length
  assert.deepEqual([lengthOf('MESSAGE'), lengthOf('VIPD_OUTPUT')], [16 * 1024, 4 * 1024])
  assert.match(page, /A message has at most 16 KiB, a field 4 KiB/)
})
