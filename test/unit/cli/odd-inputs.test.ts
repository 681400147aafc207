/** `vipd check` and `vipd doctor` where the configuration or the host is not as it should be: a code, a status, no trace. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { packageRoot } from '../../config/ask-both.ts'

const dir = mkdtempSync(join(tmpdir(), 'vipd-odd-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const bin = join(packageRoot, 'dist/src/cli/run.js')
const soonMs = 60_000

type Ran = { readonly status: number | null; readonly out: string; readonly err: string }

/** `under`: a program that executes the rest of its arguments. */
function vipd(words: readonly string[], under: readonly string[] = [], env = {}): Promise<Ran> {
  const [start = '', ...rest] = [...under, process.execPath, bin, ...words]
  const child = spawn(start, rest, {
    ...{ cwd: dir, timeout: soonMs, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, ...env },
  })
  const [out, err]: string[][] = [[], []]
  child.stdout.on('data', (text) => out?.push(`${text}`))
  child.stderr.on('data', (text) => err?.push(`${text}`))
  return new Promise((resolve) =>
    child.once('close', (status) =>
      resolve({ status, out: out?.join('') ?? '', err: err?.join('') ?? '' }),
    ),
  )
}

const check = (
  file: string,
  ...more: Parameters<typeof vipd> extends [unknown, ...infer R] ? R : never
) => vipd(['check', '-f', file], ...more)

const doctor = (
  file: string,
  ...more: Parameters<typeof vipd> extends [unknown, ...infer R] ? R : never
) => vipd(['doctor', '-f', file, '--run-dir', join(dir, 'none')], ...more)

const text =
  'vrrp_instance VI_1 {\n interface lo\n virtual_router_id 5\n virtual_ipaddress {\n 192.0.2.1\n }\n}\n'
writeFileSync(join(dir, 'fine'), text)

/** Without the right to read what the mode forbids. */
const unprivileged = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all']
/** With another /proc, or as process 1. */
const withoutProc = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs tmpfs /proc && exec "$@"', 'sh']
const asFirst = ['unshare', '-mpf', '--mount-proc']

const odd: readonly (readonly [
  name: string,
  make: (path: string) => unknown,
  says: RegExp,
  status: number,
])[] = [
  ['fifo', (path) => execFileSync('mkfifo', [path]), /it is a FIFO.*\[file-unreadable\]/, 4],
  ['directory', (path) => mkdirSync(path), /it is a directory \[file-unreadable\]/, 4],
  ['circle', (path) => symlinkSync('circle', path), /lead in a circle \[file-unreadable\]/, 4],
  ['nowhere', (path) => symlinkSync('missing', path), /no such file \[file-unreadable\]/, 4],
  ['device', (path) => symlinkSync('/dev/zero', path), /it is a device.*\[file-unreadable\]/, 4],
  [
    'forbidden',
    (path) => writeFileSync(path, text, { mode: 0 }),
    /permission denied \[file-unreadable\]/,
    4,
  ],
  [
    'endless',
    (path) => {
      writeFileSync(path, '')
      truncateSync(path, 2 ** 40)
    },
    /larger than 32 MiB \[file-too-large\]/,
    4,
  ],
  [
    'itself',
    (path) => writeFileSync(path, 'include itself\n'),
    /it includes itself \[include-depth\]/,
    5,
  ],
  ['nul', (path) => writeFileSync(path, Buffer.from('a\0b\n')), /\[nul-in-line\]/, 5],
  ['marked', (path) => writeFileSync(path, `\ufeff${text}`), /\[byte-order-mark\]/, 5],
]

test('files that are none, or not to be read', async () => {
  const server = createServer().listen(join(dir, 'socket'))
  await Promise.all(
    [...odd, ['socket', () => undefined, /it is a socket.*\[file-unreadable\]/, 4] as const].map(
      async ([name, make, says, status]) => {
        make(join(dir, name))
        const [checked, looked] = [
          await check(name, unprivileged),
          await doctor(name, unprivileged),
        ]
        assert.match(checked.out, says, name)
        assert.deepEqual([checked.status, checked.err], [status, ''], name)
        assert.match(looked.out, says, name)
        const broken = status === 4 || /cannot-start/.test(checked.out)
        assert.match(looked.out, broken ? /\[configuration-broken\]/ : /\[configuration-mistakes\]/)
        assert.doesNotMatch(looked.out, new RegExp(`${name}: ${name}:`), 'the path is said once')
        assert.deepEqual([looked.status, looked.err], [2, ''], name)
      },
    ),
  )
  server.close()
})

test('what the file says does not drive the terminal', async () => {
  writeFileSync(join(dir, 'driving'), `\u001b[2J\u009b31mred \u007f\u0007\n${text}`)
  for (const format of ['text', 'gcc', 'github', 'json']) {
    const { out } = await vipd(['check', '--format', format, '-f', 'driving'])
    assert.match(out, /\[?unknown-keyword/, format)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[^\P{Cc}\u007f-\u009f]/u, format)
    // In JSON they may stand as they are: what reads it has to know what it prints.
    if (format !== 'json') assert.doesNotMatch(out.replaceAll('\n', ''), /\p{Cc}/u, format)
  }
  assert.doesNotMatch((await doctor('driving')).out.replaceAll('\n', ''), /\p{Cc}/u)
})

test('the locale changes nothing; without /proc, and as process 1 of a container, both answer', async () => {
  const plain = await check('fine')
  for (const LC_ALL of ['tr_TR.UTF-8', 'ru_RU.KOI8-R', 'POSIX'])
    assert.deepEqual(await check('fine', [], { LC_ALL, LANG: LC_ALL }), plain)
  for (const under of [withoutProc, asFirst]) {
    assert.deepEqual(await check('fine', under), plain)
    const { status, out, err } = await doctor('fine', under)
    assert.deepEqual([status, err], [2, ''])
    assert.match(out, /\[configuration-broken\]/)
    // What cannot be read is not said to be missing.
    assert.doesNotMatch(out, /missing-capability/)
    assert.equal(
      /^not looked at: processes.*\/proc cannot be read$/m.test(out),
      under === withoutProc,
    )
  }
})

test('a disk that is full, or an output that is closed', async () => {
  const to = (redirection: string) => ['sh', '-c', `exec "$@" ${redirection}`, 'sh']
  for (const command of [check, doctor]) {
    const full = await command('fine', to('> /dev/full'))
    assert.deepEqual([full.status, full.err], [4, 'vipd: standard output: ENOSPC\n'])
    const { err } = await command('fine', to('>&-'))
    assert.doesNotMatch(err, /^ +at /m)
  }
})
