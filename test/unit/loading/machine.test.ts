/** The real machine: compared with what the shell and the system's own tables say. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${_PWD} is a reference of the language
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { parseTree } from '../../../src/config/language/tree.ts'
import { realMachine } from '../../../src/loading/machine.ts'
import { complaints, printed } from '../config/tree-printing.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-world-'))
after(() => rmSync(root, { recursive: true }))

const names = [
  'a.conf',
  'b.conf',
  'ab.conf',
  '.hidden',
  'a-b',
  'a]b',
  'a^b',
  'c+d',
  'e(f',
  'Z',
  'é',
  '[x]',
]
mkdirSync(join(root, 'd', 'e'), { recursive: true })
for (const name of names) writeFileSync(join(root, 'd', name), `file ${name}\n`)
writeFileSync(join(root, 'd', 'e', 'a.conf'), 'inner\n')
symlinkSync(join(root, 'd'), join(root, 'link'))
symlinkSync('/nowhere', join(root, 'd', 'dangling'))

test('globbing agrees with the shell', () => {
  const { glob } = realMachine()
  const patterns = [
    ...[
      'd/*',
      'd/*.conf',
      'd/?.conf',
      'd/[ab].conf',
      'd/[!a].conf',
      'd/[a-b]*',
      'd/.*n',
      'd/none*',
    ],
    ...[
      'd/*/a.conf',
      '*/a.conf',
      'd/a[]]b',
      'd/a[!-]b',
      'd/[[]x]',
      'd/\\[x]',
      'd/*+*',
      'd/e(*',
      'd/a[-^]b',
    ],
    ...['link/*.conf', 'd//*.conf', 'd/é*', 'd/?', '[', 'd/[a'],
  ]
  for (const pattern of patterns) {
    const script = `cd / && for f in ${root}/${pattern.replace('(', '\\(')}; do test -e "$f" && printf '%s\\n' "$f"; done; true`
    const said = execFileSync('bash', ['-c', script], {
      encoding: 'utf8',
      env: { LC_ALL: 'C.UTF-8' },
    })
    const expected = said
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace('//', '/'))
    const found = (glob(`${root}/${pattern}`) ?? []).filter((path) => !path.endsWith('dangling'))
    assert.deepEqual([...found].sort(), expected.sort(), pattern)
  }
})

test('files, links and permissions', () => {
  const world = realMachine()
  const file = join(root, 'd', 'a.conf')
  assert.deepEqual(world.readFile(file), { text: 'file a.conf\n' })
  const unread = (why: string) => ({ why, limit: false })
  assert.deepEqual(world.readFile(join(root, 'none')), unread('there is no such file'))
  assert.deepEqual(world.readFile(join(root, 'd')), unread('it is a directory'))
  chmodSync(file, 0o640)
  const { uid, gid } = { uid: process.getuid?.(), gid: process.getgid?.() }
  assert.deepEqual(world.stat(file), { kind: 'file', mode: 0o640, uid, gid })
  assert.equal(world.stat(join(root, 'link'))?.kind, 'directory')
  assert.equal(world.stat('/dev/null')?.kind, 'other')
  assert.equal(world.stat(join(root, 'd', 'dangling')), null)
  assert.equal(world.realpath(join(root, 'link', 'a.conf')), world.realpath(file))
  assert.equal(world.realpath(join(root, 'none')), null)
})

test('users, groups and interfaces', () => {
  const world = realMachine()
  assert.deepEqual({ ...world.user('root'), groups: [] }, { uid: 0, gid: 0, groups: [] })
  assert.equal(world.user('root')?.groups[0], 0)
  assert.equal(world.user('no-such-user'), null)
  assert.equal(world.group('root'), 0)
  assert.equal(world.group('no-such-group'), null)
  assert.equal(world.interfaceExists('lo'), true)
  assert.equal(world.interfaceExists('no-such-if'), false)
  assert.equal(world.interfaceMulticast('no-such-if'), true)
  assert.ok(world.path.includes('/usr/bin') || world.path.includes('/bin'))
  assert.equal(world.uid, process.getuid?.())
})

test('a configuration with includes is read from real files', () => {
  const main = join(root, 'vipd.conf')
  writeFileSync(
    main,
    'x {\ninclude d/[ab].conf\n}\ninclude link/e/*.conf\ny ${_PWD}\nincludem none\n',
  )
  const tree = parseTree(main, realMachine(), { configId: null, includeAll: false })
  assert.equal(
    printed(tree.nodes),
    `x{file a.conf; file b.conf}; inner; y ${realMachine().realpath(root)}`,
  )
  assert.deepEqual(complaints(tree), [`${main}:6:10 include-no-match`])
})
