/** The thread that reads the configuration: what crosses, what is refused for its size or kind, and what hangs. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../../../src/lab/program.ts'
import { until } from '../../../src/lab/wait.ts'
import { fileBytesMax, loadMs } from '../../../src/loading/bounds.ts'
import { unchangedSince } from '../../../src/loading/compare.ts'
import { FileReader } from '../../../src/loading/files.ts'
import { glob } from '../../../src/loading/glob.ts'
import { loadConfiguration } from '../../../src/loading/load.ts'
import { Loader } from '../../../src/loading/loader.ts'
import { realMachine } from '../../../src/loading/machine.ts'
import { Assembly, partsOf } from '../../../src/loading/parts.ts'
import { reloadFileOf } from '../../../src/loading/reload-file.ts'

const root = mkdtempSync(join(tmpdir(), 'vipd-loading-'))
after(() => rmSync(root, { recursive: true }))
const language = { configId: null, includeAll: false }
const file = (name: string, text: string): string => {
  writeFileSync(join(root, name), text)
  return join(root, name)
}
const fifo = (name: string): string => {
  execFileSync('mkfifo', [join(root, name)])
  return join(root, name)
}
/** Lets what waits for a writer go, now and later. */
const release = (path: string) => openSync(path, constants.O_RDWR | constants.O_NONBLOCK)

const instance = (i: number, body = `10.0.0.${i}`): string =>
  `vrrp_instance V${i} {\n interface eth0\n virtual_router_id ${i}\n virtual_ipaddress {\n ${body}\n }\n}\n`

const load = (path: string) =>
  loadConfiguration({ path, language, knownInterfaces: ['eth0'], namespace: null })

describe('what crosses', () => {
  test('the same configuration, diagnostics and marks as on this thread', async () => {
    const many = Array.from({ length: 2_500 }, (_, i) => `172.16.${i >> 8}.${i & 255}`).join('\n')
    const script = 'vrrp_script s {\n script "/bin/true"\n}\n'
    const password = 'authentication {\n auth_type PASS\n auth_pass abc\n }'
    const second = instance(2, `10.0.0.2\n}\n ${password}\n track_script {\n s`)
    const path = file('crosses.conf', `${script}${instance(1, many)}${second}nonsense 4\n`)
    const here = load(path)
    const loaded = await new Loader({ path, language }).load(['eth0'])
    assert.ok(loaded.config !== null && loaded.config.instances.length === 2)
    assert.deepEqual(loaded, here)
  })

  test('every part is small, and all of them are the whole', () => {
    const path = file(
      'parts.conf',
      Array.from({ length: 200 }, (_, i) =>
        instance(i + 1, Array.from({ length: 40 }, (_, j) => `10.${i}.0.${j}`).join('\n')),
      ).join(''),
    )
    const { config } = load(path)
    assert.ok(config !== null)
    const parts = [...partsOf(config)]
    assert.ok(parts.length > 5)
    const assembly = new Assembly()
    const head = { diagnostics: [], seen: { files: [], patterns: [] } }
    assert.equal(assembly.take({ kind: 'loaded', loaded: head, globals: config.globals }), null)
    for (const part of parts) {
      assert.ok(part.instances.length <= 25, 'a thousand addresses and one instance at most')
      assert.equal(assembly.take({ kind: 'part', part: structuredClone(part) }), null)
    }
    assert.deepEqual(assembly.take({ kind: 'part', part: null }), { ...head, config })
  })

  test('an interface of the running configuration may be absent', async () => {
    const path = file('absent.conf', instance(1).replace('interface eth0', 'interface absent0'))
    const loader = new Loader({ path, language })
    assert.equal((await loader.load(['eth0'])).config, null)
    assert.notEqual((await loader.load(['absent0'])).config, null)
  })
})

describe('what is not read', () => {
  const codes = (path: string): readonly string[] =>
    load(path).diagnostics.map((d) => `${d.place.line}:${d.code}`)

  test('a FIFO, a device, a directory and a socket, as the file and as an include', async () => {
    const pipe = fifo('pipe')
    const server = (await import('node:net')).createServer().listen(join(root, 'socket'))
    await once(server, 'listening')
    symlinkSync(pipe, join(root, 'link'))
    for (const path of [pipe, '/dev/zero', root, join(root, 'socket'), join(root, 'link')]) {
      assert.deepEqual(codes(path), ['0:file-unreadable'], path)
      assert.deepEqual(
        codes(file('outer.conf', `\ninclude ${path}\n`)),
        ['2:include-unreadable'],
        path,
      )
    }
    const probe = `vrrp_script s {\n probe http http://127.0.0.1/ ca ${pipe}\n}\n`
    const withScript = instance(1, '10.0.0.1\n}\n track_script {\n s')
    assert.ok(codes(file('probe.conf', probe + withScript)).some((code) => code.startsWith('2:')))
    server.close()
  })

  test('a hundred megabytes, as the file and as an include', () => {
    const path = file('large.conf', instance(1))
    truncateSync(path, 100 * 1024 * 1024)
    assert.deepEqual(codes(path), ['0:file-too-large'])
    const outer = load(file('outer.conf', `${instance(1)}include large.conf\n`))
    assert.equal(outer.config, null, 'it is not left out in silence')
    assert.deepEqual(
      outer.diagnostics.map((d) => [d.code, d.verdict]),
      [['file-too-large', 'fatal']],
    )
  })

  test('files that grow beyond the bound while they are read, and too many of them', () => {
    const reader = new FileReader({ fileBytes: 10, totalBytes: 25 })
    const [ten, more] = [file('ten', '1234567890'), file('eleven', '12345678901')]
    assert.deepEqual(reader.read(ten), { text: '1234567890' })
    assert.deepEqual(reader.read(more), { why: 'it is larger than 10 octets', limit: true })
    reader.read(ten)
    const third = reader.read(ten)
    assert.ok('why' in third && third.limit && /together/.test(third.why))
    // Without a size, and longer than ten octets.
    const status = new FileReader({ fileBytes: 10, totalBytes: 25 }).read('/proc/self/status')
    assert.ok('why' in status && status.limit)
  })

  test('a pattern that reaches more names than are looked at', () => {
    const allowance = { left: 3 }
    for (const name of ['a', 'b', 'c', 'd']) {
      mkdirSync(join(root, 'wide', name), { recursive: true })
      writeFileSync(join(root, 'wide', name, 'x.conf'), '')
    }
    assert.equal(glob(join(root, 'wide/*/*.conf'), allowance), null)
    assert.equal(glob(join(root, 'wide/*/*.conf'), { left: 1_000 })?.length, 4)
    const everything = load(file('everything.conf', `${instance(1)}include /*/*/*/*/*.conf\n`))
    const limit = everything.diagnostics.find(({ code }) => code === 'include-limit')
    assert.equal(limit?.verdict, 'fatal')
    assert.equal(limit?.place.line, 8)
  })
})

test('the bounds that the manual names', () => {
  const manual = readFileSync(join(projectRoot, 'man/vipd.8'), 'utf8')
  assert.ok(manual.includes(`cannot be read within ${loadMs / 1_000} seconds`))
  assert.ok(manual.includes(`more than ${fileBytesMax / 1024 / 1024} MiB`))
})

describe('what has changed since', () => {
  test('by file, by include and by what a pattern matches', () => {
    mkdirSync(join(root, 'conf.d'))
    const [one, two] = [file('conf.d/1.conf', instance(1)), join(root, 'conf.d', '2.conf')]
    const main = file('main.conf', `include conf.d/*.conf\ninclude later.conf\n`)
    const { seen, config } = load(main)
    assert.equal(config?.instances.length, 1)
    assert.equal(unchangedSince(seen), true)
    const cases: readonly (readonly [what: string, change: () => void, back: () => void])[] = [
      ['a new file', () => writeFileSync(two, ''), () => rmSync(two)],
      [
        'a missing include comes',
        () => file('later.conf', ''),
        () => rmSync(join(root, 'later.conf')),
      ],
      ['a file goes', () => renameSync(one, `${one}x`), () => renameSync(`${one}x`, one)],
    ]
    for (const [what, change, back] of cases) {
      change()
      assert.equal(unchangedSince(seen), false, what)
      back()
      assert.equal(unchangedSince(seen), true, `${what}, and is undone`)
    }
    utimesSync(one, 1, 1)
    assert.equal(unchangedSince(seen), false, 'another time of change')
  })
})

describe('a thread that misbehaves', () => {
  const threadFile = new URL('./faulty-thread.js', import.meta.url)
  const faulty = (path: string, loadMs = 60_000) =>
    new Loader({ path, language, threadFile, loadMs, compareMs: 100, heapMegabytes: 32 })
  // Otherwise a failed test would leave threads that this process waits for.
  const pipes = ['fifo-load', 'fifo-compare'].map(fifo)
  after(() => pipes.forEach(release))
  const failure = async (loader: Loader) => {
    const { config, diagnostics } = await loader.load()
    assert.equal(config, null)
    assert.equal(diagnostics.length, 1)
    return `${diagnostics[0]?.code}: ${diagnostics[0]?.message}`
  }

  test('it is given up after its time, and its end is waited for by none', async () => {
    assert.match(await failure(faulty('turns', 100)), /^load-timeout: .*within 0.1 s/)
    assert.match(await failure(faulty('memory')), /^load-failed: .*32 MiB of memory/)
    assert.match(await failure(faulty('throws')), /^load-failed: .*planted/)
    assert.match(await failure(faulty('ends')), /^load-failed: .*ended/)
  })

  test('threads that hang in a system call stay behind, four at most, and go when it returns', async () => {
    const path = join(root, 'fifo-load')
    const loader = faulty(path, 5_000)
    for (const why of await Promise.all([1, 2, 3, 4].map(() => failure(loader))))
      assert.match(why, /^load-timeout/)
    assert.match(await failure(loader), /^load-hangs: 4 earlier readings/)
    release(path)
    await until('the threads have gone', 60_000, async () => {
      const why = await failure(loader)
      return !why.startsWith('load-hangs')
    })
  })

  test('a comparison that hangs is unknown, at once from the second on', async () => {
    const path = join(root, 'fifo-compare')
    const seen = { files: [{ path, mark: null }], patterns: [] }
    const loader = faulty('')
    assert.equal(await loader.unchanged(seen), 'unknown')
    await until('it has hung for so long', 10_000, async () => {
      const before = performance.now()
      const answer = await loader.unchanged(seen)
      assert.equal(answer, 'unknown')
      return performance.now() - before < 90
    })
    assert.equal(
      await loader.unchanged({ files: [], patterns: [] }),
      'unknown',
      'nothing is piled up',
    )
    release(path)
    const back = () => loader.unchanged({ files: [], patterns: [] })
    await until('it answers again', 30_000, async () => (await back()) === true)
    loader.close()
  })

  test('a process ends although one of its threads hangs', async () => {
    const path = fifo('fifo-leaving')
    const program = fileURLToPath(new URL('./leaving.js', import.meta.url))
    const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000)
    const [status] = await once(child, 'close')
    clearTimeout(late)
    assert.deepEqual([status, said], [7, 'load-timeout\n'])
  })

  test('threads are not kept: one reading leaves none behind', async () => {
    const threads = () => readdirSync('/proc/self/task').length
    const loader = new Loader({ path: file('kept.conf', instance(1)), language })
    await loader.load()
    const before = threads()
    for (let n = 0; n < 5; n++) await loader.load()
    await until('as many threads as before', 30_000, () => threads() <= before)
  })
})

test('reload_file is there while the files are read, and only then', () => {
  const path = file('marked.conf', instance(1))
  const marker = join(root, 'reading')
  const machine = realMachine({ known: ['eth0'] })
  const seen: boolean[] = []
  const watched = {
    ...machine,
    readFile: (name: string) => {
      seen.push(existsSync(marker))
      return machine.readFile(name)
    },
  }
  const request = { path, language, knownInterfaces: ['eth0'], namespace: null }
  const loaded = loadConfiguration({ ...request, marker }, watched)
  assert.ok(loaded.config !== null && seen.includes(true) && !seen.includes(false))
  assert.equal(existsSync(marker), false)
  // What cannot be made is reported, and holds nothing up.
  const other = loadConfiguration({ ...request, marker: join(root, 'none', 'reading') }, watched)
  assert.ok(other.config !== null)
  assert.ok(other.diagnostics.some(({ code }) => code === 'reload-file'))
  const globals = { netNamespace: 'blue', instanceName: 'edge' }
  assert.equal(
    reloadFileOf({ ...globals, reloadFile: '' }),
    '/run/keepalived/blue/keepalived_edge.reload',
  )
  assert.equal(reloadFileOf({ ...globals, reloadFile: null }), null)
})
