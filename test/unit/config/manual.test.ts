/** vipd.conf(5), the keyword table as a manual page, and what mandoc says of the pages. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { keywordManual } from '../../../src/config/explain/manual.ts'
import { paragraph, prose, quoted } from '../../../src/config/explain/mdoc.ts'
import { keywords } from '../../../src/config/keywords/table.ts'
import { projectRoot } from '../../../src/lab/program.ts'
import { check, findings } from './reading.ts'

test('every keyword that the page’s blocks have is on it, as often as the table has it', () => {
  const page = keywordManual()
  const documented = new Set(
    [...page.matchAll(/^\.Ss Block (\S+)$/gm)].map(([, block]) => block).concat('root'),
  )
  assert.ok(documented.has('vrrp_instance') && documented.size > 8)
  const written = [...page.matchAll(/^\.It Ic (\S+)/gm)].map(([, name]) => name)
  const expected = keywords.filter(({ block }) => documented.has(block)).map(({ name }) => name)
  assert.deepEqual(written.toSorted(), expected.toSorted())
})

test('text that roff would read as a request, an escape or a quote is text', () => {
  assert.equal(paragraph('.conf files'), '\\&.conf files')
  assert.equal(paragraph("'quoted'"), "\\&'quoted'")
  assert.equal(paragraph('a \\n'), 'a \\en')
  assert.equal(
    paragraph('`--run-dir` is [here](docs/x.md).'),
    '\\fB\\-\\-run\\-dir\\fP is \\fBhere\\fP.',
  )
  assert.equal(quoted('"COMMAND"'), '"\\(dqCOMMAND\\(dq"')
  assert.throws(() => paragraph('漢'), /has no roff name/)
})

test('a sentence begins a line, a long line is broken, also where the rest begins with a full stop', () => {
  assert.equal(paragraph('One. Two (and three.) Four'), 'One.\nTwo (and three.)\nFour')
  const long = `${'word '.repeat(15)}.hidden`
  assert.equal(paragraph(long), `${'word '.repeat(15).trim()}\n\\&.hidden`)
  assert.equal(
    prose('## Some words\n\ntext\n\n1. one\n2. two'),
    ['.Sh SOME WORDS', 'text', '.Bl -enum', '.It\none', '.It\ntwo', '.El'].join('\n'),
  )
})

test('the example of the page is one that vipd takes', () => {
  const example = /^\.Bd -literal.*\n([\s\S]*?)^\.Ed$/m.exec(keywordManual())?.[1] ?? ''
  assert.match(example, /vrrp_instance VI_1/)
  assert.deepEqual(findings(check(example)), [])
})

const pages = readdirSync(join(projectRoot, 'man')).toSorted()

test('every page is installed by npm', () => {
  const { man } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    man: readonly string[]
  }
  assert.deepEqual(
    man.toSorted(),
    pages.map((page) => `man/${page}`),
  )
})

// What mandoc says of the other manuals of this machine is not about these pages.
const ofTheMachine = /outdated mandoc\.db|referenced manual not found/

for (const page of pages)
  test(`mandoc finds nothing in ${page}`, () => {
    const path = join(projectRoot, 'man', page)
    const { error, stdout } = spawnSync('mandoc', ['-Tlint', path], { encoding: 'utf8' })
    assert.equal(error, undefined, 'Debian package mandoc')
    assert.deepEqual(
      stdout.split('\n').filter((line) => line !== '' && !ofTheMachine.test(line)),
      [],
    )
  })
