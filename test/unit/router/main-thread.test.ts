/**
 * The main thread waits for nothing that can hang. This walks the imports from the daemon's entry, without the bodies of
 * its worker threads, and finds every synchronous call for files, programs and interfaces that it could reach. Each one is
 * listed here with the reason why it cannot hang; what is not listed, and what is listed and gone, fails.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { projectRoot } from '../../../src/lab/program.ts'

const source = join(projectRoot, 'src')
const entries = ['cli/command-run.ts']

/** Modules that the main thread imports for their other half: these functions run on threads or in other commands. */
const allowed: Readonly<Record<string, string>> = {
  'addon/load.ts': 'the folder of the program itself, once, before there is a daemon',
  'programs/output.ts': 'pipes in memory-backed directories; called on worker threads',
  'programs/resolve.ts': '/etc/hosts, on worker threads',
  'programs/start.ts': 'imported for signalGroup; called on worker threads',
  'programs/run.ts': 'imported for signalGroup; called on worker threads',
  'addon/bindings.ts': 'the declaration of the addon',
  'cli/make-directory.ts': 'the run directory, once, before there is a daemon',
  'cli/trusted-directory.ts': 'the run directory, once, before there is a daemon',
  'cli/run-directories.ts': 'the run directory, once, before there is a daemon',
  'cli/network-namespace.ts': 'the run directory, once, before there is a daemon',
  'cli/paths.ts': 'which file is the configuration, once, before there is a daemon',
  'cli/pid-file.ts': 'in the run directory, once, before there is a daemon and when it has stopped',
  'cli/group-sockets.ts': 'the run directory, which the daemon has locked, when a group is named',
  'control/denial.ts': 'in the commands that ask a daemon',
  'control/server.ts': 'sockets in the run directory: at the start, and when a group is named',
  'daemon/capabilities.ts': '/proc/self/status',
  'notify/fifo.ts': 'an open FIFO, with O_NONBLOCK',
  'daemon/log-sink.ts': 'its own descriptors, once, before there is a daemon',
  'kernel/survey.ts':
    'imported for two names that it makes; its files are read on the thread for errands',
}

const calls =
  /\b(?:(?:access|append|chmod|chown|close|copyFile|exists|fchmod|fchown|fstat|fsync|link|lstat|mkdir|mkdtemp|open|opendir|read|readFile|readdir|readlink|readv|realpath|rename|rm|rmdir|stat|statfs|symlink|truncate|unlink|utimes|write|writeFile|exec|execFile|spawn)Sync|networkInterfaces|startProgram|runCommand)\s*\(/g

/** Value imports only; a worker's body is named by `new URL` and no import. Dynamic imports count. */
function importsOf(text: string): readonly string[] {
  const plain = text.matchAll(/^(?:import|export)\s+(?!type\b)[^'"]*?from\s+'(\.[^']+)'/gms)
  const bare = text.matchAll(/^import\s+'(\.[^']+)'/gm)
  const dynamic = text.matchAll(/\bimport\('(\.[^']+)'\)/g)
  return [...plain, ...bare, ...dynamic].map((found) => found[1] ?? '')
}

function reachable(): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  const todo = entries.map((entry) => join(source, entry))
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (texts.has(path)) continue
    const text = readFileSync(path, 'utf8')
    texts.set(path, text)
    const folder = dirname(path)
    todo.push(...importsOf(text).map((name) => join(folder, name)))
  }
  return texts
}

test('no synchronous call is reachable from the main thread without a reason', () => {
  const texts = reachable()
  assert.ok(texts.size > 80, 'the walk found the daemon')
  assert.ok(texts.has(join(source, 'loading/loader.ts')))
  assert.ok(!texts.has(join(source, 'loading/machine.ts')), 'the parser’s machine is for threads')
  const found = new Map<string, string[]>()
  for (const [path, text] of texts) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    const names = [...code.matchAll(calls)].map(([call]) => call)
    if (names.length > 0) found.set(relative(source, path), names)
  }
  const unexplained = [...found].filter(([path]) => allowed[path] === undefined)
  assert.deepEqual(unexplained, [])
  const stale = Object.keys(allowed).filter((path) => !found.has(path))
  assert.deepEqual(stale, [], 'these need their reason no more')
})
