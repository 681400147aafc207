/** journald goes away and comes back: what is logged then reaches it by another stream. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fstatSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { until } from '../../../src/lab/wait.ts'

const soonMs = 30_000
const header = 'vipd\n\n6\n1\n0\n0\n0\n'
const directory = mkdtempSync(join(tmpdir(), 'vipd-journal-'))
const path = join(directory, 'stdout')
after(() => rmSync(directory, { recursive: true }))

/** In journald's place: what each of its streams has said, oldest first. */
class Journald {
  readonly streams: string[] = []
  readonly #sockets: Socket[] = []
  readonly #server: Server

  private constructor(server: Server) {
    // A test that fails must end.
    this.#server = server.unref()
    server.on('connection', (socket) => {
      const at = this.streams.push('') - 1
      this.#sockets.push(socket.unref())
      socket.on('error', () => undefined)
      socket.on('data', (text) => {
        this.streams[at] += text.toString()
      })
    })
  }

  static async start(): Promise<Journald> {
    const journald = new Journald(createServer())
    await new Promise<void>((resolve) => journald.#server.listen(path, resolve))
    return journald
  }

  /** Its socket file goes with it. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  says(what: string): Promise<unknown> {
    return until(
      `journald has ${JSON.stringify(what)} of ${JSON.stringify(this.streams)}`,
      soonMs,
      () => this.streams.includes(what),
    )
  }
}

test('a stream that journald lets go of is opened again; what found no journald is counted', async () => {
  const first = await Journald.start()
  const stream = connect(path)
  await new Promise((resolve) => stream.once('connect', resolve))
  const { fd } = (stream as unknown as { readonly _handle: { readonly fd: number } })._handle
  const { dev, ino } = fstatSync(fd)
  const script = fileURLToPath(new URL('./log-lines.js', import.meta.url))
  const child = spawn(process.execPath, [script, directory], {
    stdio: ['pipe', 'pipe', stream],
    env: { ...process.env, JOURNAL_STREAM: `${dev}:${ino}` },
  })
  after(() => child.kill('SIGKILL'))
  stream.destroy()
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const say = async (line: string): Promise<void> => {
    child.stdin.write(`${line}\n`)
    assert.equal((await lines.next()).value, line)
  }
  await say('one')
  await first.says('<6>one\n')

  await first.stop()
  const second = await Journald.start()
  await say('two')
  await second.says(`${header}<6>two\n`)
  await say('three')
  await second.says(`${header}<6>two\n<6>three\n`)

  await second.stop()
  await say('lost')
  const third = await Journald.start()
  await say('four')
  const lost = '<4>1 log lines were lost: ENOENT\n'
  await third.says(`${header}${lost}<6>four\n`)
  child.stdin.end()
  await third.stop()
})
