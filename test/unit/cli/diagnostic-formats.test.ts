/** The lines of `vipd check --format`: what would break them is escaped. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagnosticLines } from '../../../src/cli/diagnostic-formats.ts'
import { errorAt, noteAt, warningAt } from '../../../src/config/language/diagnostics.ts'

const at = (file: string, line: number) => ({ file, line, column: line === 0 ? 0 : 7 })
const found = [
  errorAt(at('/srv/lb/ha,1:a.conf', 3), 'bad-value', '100 % is\n  too much'),
  warningAt(at('/etc/vipd.conf', 9), 'no-effect', 'it has none: a, b'),
  noteAt(at('/srv/lb/ha.conf', 0), 'idle', 'nothing'),
]

test('gcc: one line each, whatever the message; a file as a whole has no place', () => {
  assert.equal(
    diagnosticLines('gcc', found, '/srv/lb'),
    [
      'ha,1:a.conf:3:7: error: 100 % is too much [bad-value]',
      '/etc/vipd.conf:9:7: warning: it has none: a, b [no-effect]',
      'ha.conf: note: nothing [idle]',
      '',
    ].join('\n'),
  )
})

test('github: properties and text are escaped as its workflow commands ask', () => {
  assert.equal(
    diagnosticLines('github', found, '/srv/lb'),
    [
      '::error file=ha%2C1%3Aa.conf,line=3,col=7,title=bad-value::100 %25 is%0A  too much',
      '::warning file=/etc/vipd.conf,line=9,col=7,title=no-effect::it has none: a, b',
      '::notice file=ha.conf,title=idle::nothing',
      '',
    ].join('\n'),
  )
})

test('nothing wrong is nothing', () => {
  assert.equal(diagnosticLines('gcc', [], '/'), '')
})
