/** Boots user-mode Linux for each file of `inside/`, under systemd where its name says so, and passes on what its tests said. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runInUml } from './boot.ts'

const folder = join(import.meta.dirname, 'inside')

const files = readdirSync(folder).filter((name) => name.endsWith('.inside.js'))

test('there is something to run', () => assert.ok(files.length > 0))

/** `ok 1 - name` and `not ok 2 - name` of the outermost level. */
const outcome = /^(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO).*)?$/

for (const file of files) {
  test(file.replace('.inside.js', ''), async (t) => {
    const init = file.includes('.systemd.') ? 'systemd' : 'script'
    const { tap, said } = await runInUml(join(folder, file), init, 900_000)
    const lines = tap.split('\n').map((line) => outcome.exec(line))
    const found = lines.filter((match) => match !== null)
    assert.ok(found.length > 0, `no test ran:\n${said}`)
    assert.match(tap, /^1\.\.\d+$/m, `it did not come to its end:\n${said}`)
    for (const [, verdict, name = '', skipped] of found)
      await t.test(name, () => {
        assert.equal(skipped, undefined, 'skipped')
        assert.equal(verdict, 'ok', said)
      })
  })
}
