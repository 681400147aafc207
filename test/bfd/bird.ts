/** BIRD 2 (Debian's `bird2`) with one BFD session. */
import type { Child } from '../../src/lab/child.ts'
import type { Host } from '../../src/lab/host.ts'
import { until } from '../../src/lab/wait.ts'
import { killed, type Pace, type Path, type Seen, type Speaker } from './speaker.ts'

export const birdCommand = '/usr/sbin/bird'
const file = '/run/lab/bird.conf'
const socket = '/run/lab/bird.ctl'
const soonMs = 20_000

export class Bird implements Speaker {
  readonly host: Host
  readonly #path: Path
  #pace: Pace
  #on = true
  #child: Child | null = null

  constructor(host: Host, path: Path, pace: Pace) {
    this.host = host
    this.#path = path
    this.#pace = pace
  }

  async start(): Promise<void> {
    this.host.write(file, this.#text())
    const args = ['-f', '-c', file, '-s', socket, '-P', '/run/lab/bird.pid']
    this.#child = this.host.spawn(birdCommand, args, { name: 'bird' })
    await until('BIRD answers', soonMs, async () => (await this.#ask('show', 'status')) !== null)
  }

  /** `show bfd sessions`: address, interface, state, since, interval, timeout in seconds. */
  async seen(): Promise<Seen | null> {
    const shown = await this.#ask('show', 'bfd', 'sessions')
    if (shown === null) return null
    const words = shown.split('\n').map((line) => line.trim().split(/\s+/))
    const row = words.find(([address]) => address === this.#path.peer)
    if (row === undefined) return { up: false, awaitsMs: null, changed: 0 }
    const timeoutMs = Number(row.at(-1)) * 1_000
    // By the multiplier of the other end, which is 3 in all tests.
    const awaitsMs = timeoutMs === 0 ? null : Math.round(timeoutMs / 3)
    return { up: row[2] === 'Up', awaitsMs, changed: this.#changes() }
  }

  async change(pace: Pace): Promise<void> {
    this.#pace = pace
    await this.#configure()
  }

  async switchOff(): Promise<void> {
    this.#on = false
    await this.#configure()
  }

  async switchOn(): Promise<void> {
    this.#on = true
    await this.#configure()
  }

  async stop(): Promise<void> {
    await this.#child?.stop(soonMs)
  }

  async kill(): Promise<void> {
    if (this.#child !== null) await killed(this.#child)
  }

  /** By its log: the time that it shows of the last change is reckoned anew at each question, and is another by a millisecond now and then. */
  #changes(): number {
    const lines = this.#child?.output.items ?? []
    return lines.filter(({ text }) => text.includes('changed state')).length
  }

  async #configure(): Promise<void> {
    this.host.write(file, this.#text())
    await until('BIRD reconfigures', soonMs, async () =>
      /Reconfigur/.test((await this.#ask('configure')) ?? ''),
    )
  }

  async #ask(...words: string[]): Promise<string | null> {
    const ran = await this.host.run('birdc', ['-s', socket, ...words])
    return ran.status === 0 ? ran.stdout : null
  }

  #text(): string {
    const { own, peer, multihop, passive = false } = this.#path
    const { rx, tx, multiplier } = this.#pace
    const options = [
      `min rx interval ${rx} ms;`,
      `min tx interval ${tx} ms;`,
      'idle tx interval 1 s;',
      `multiplier ${multiplier};`,
      `passive ${passive ? 'yes' : 'no'};`,
    ].join(' ')
    const which = multihop ? `local ${own} multihop yes` : `dev "eth0" local ${own}`
    return [
      'log stderr all;',
      'router id 10.80.0.1;',
      'protocol device {}',
      'protocol bfd b {',
      '  debug { events };',
      `  interface "eth0" { ${options} };`,
      `  multihop { ${options} };`,
      this.#on ? `  neighbor ${peer} ${which};` : '',
      '}',
      '',
    ].join('\n')
  }
}
