/** Debian's Chromium without a window, driven over the DevTools protocol by a pipe. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { until } from '../../src/lab/wait.ts'

type Message = {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly message: string }
}

const answerMs = 60_000

/** One page in a browser of its own. */
export class Browser {
  readonly #child: ChildProcess
  readonly #write: Writable
  readonly #dir: string
  readonly #answers = new Map<number, (message: Message) => void>()
  /** What the console, the network and the policy complained about. */
  readonly complaints: string[] = []
  #last = 0
  #session: string | null = null

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child
    this.#dir = dir
    this.#write = child.stdio[3] as Writable
    const read = child.stdio[4] as Readable
    let rest = ''
    read.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = `${rest}${chunk}`.split('\0')
      rest = parts.pop() ?? ''
      for (const part of parts) this.#take(JSON.parse(part) as Message)
    })
    this.#write.on('error', () => undefined)
  }

  /** Rejects when there is no chromium. */
  static async open(): Promise<Browser> {
    const dir = mkdtempSync(join(tmpdir(), 'vipd-chromium-'))
    const child = spawn(
      'chromium',
      [
        ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
        ...['--no-first-run', '--disable-background-networking', '--disable-component-update'],
        ...['--remote-debugging-pipe', `--user-data-dir=${dir}`, 'about:blank'],
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'], detached: true },
    )
    const failed = new Promise<never>((_, reject) => child.once('error', reject))
    const browser = new Browser(child, dir)
    await Promise.race([browser.#begin(), failed])
    return browser
  }

  async #begin(): Promise<void> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    this.#session = sessionId as string
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`)
  }

  /** One command of the protocol. Rejects with what the browser says against it. */
  send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#last
    const session = this.#session === null ? {} : { sessionId: this.#session }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), answerMs)
      this.#answers.set(id, ({ result, error }) => {
        clearTimeout(timer)
        if (error === undefined) resolve(result ?? {})
        else reject(new Error(`${method}: ${error.message}`))
      })
      this.#write.write(`${JSON.stringify({ id, method, params, ...session })}\0`)
    })
  }

  /** `width`: 390 is a phone's. */
  async size(width: number, height: number): Promise<void> {
    const mobile = width < 600
    await this.send('Emulation.setDeviceMetricsOverride', {
      ...{ width, height, mobile, deviceScaleFactor: 1 },
    })
  }

  async colours(scheme: 'light' | 'dark'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: scheme }]
    await this.send('Emulation.setEmulatedMedia', { features })
  }

  async go(url: string): Promise<void> {
    await this.send('Page.navigate', { url })
    await this.until('the page is loaded', 'document.readyState === "complete"')
  }

  /** The value of an expression in the page. Rejects with what it throws. */
  async eval<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      ...{ expression, returnByValue: true, awaitPromise: true },
    })) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } }
    if (exceptionDetails !== undefined)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description}`)
    return result.value
  }

  async until(what: string, expression: string, timeoutMs = answerMs): Promise<void> {
    await until(what, timeoutMs, () => this.eval<boolean>(expression))
  }

  /** What the page has become by now is on the screen: a measure of what is shown next holds none of it. */
  async painted(): Promise<void> {
    await this.eval(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))',
    )
  }

  /** The whole page, as a PNG. */
  async picture(path: string): Promise<void> {
    const { data } = await this.send('Page.captureScreenshot', { captureBeyondViewport: false })
    writeFileSync(path, Buffer.from(data as string, 'base64'))
  }

  async key(key: string, code = key, keyCode = 0): Promise<void> {
    const text = key === 'Enter' ? { text: '\r' } : {}
    const event = { key, code, windowsVirtualKeyCode: keyCode, ...text }
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', ...event })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event })
  }

  async close(): Promise<void> {
    const { pid } = this.#child
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    const ended = this.#child.exitCode !== null || this.#child.signalCode !== null
    // Its helpers are in its process group.
    if (pid !== undefined && !ended) {
      process.kill(-pid, 'SIGKILL')
      await gone
    }
    rmSync(this.#dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  #take(message: Message): void {
    const { id, method, params } = message
    if (id !== undefined) {
      this.#answers.get(id)?.(message)
      this.#answers.delete(id)
    } else if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded')
      this.complaints.push(JSON.stringify(params))
    else if (method === 'Runtime.consoleAPICalled') this.complaints.push(JSON.stringify(params))
  }
}
