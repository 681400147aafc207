/** `vipd bench failover`: how long a pair on this machine takes to fail over, beside keepalived. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { isCause } from '../bench/causes.ts'
import { type Contender, keepalivedContender, vipdContender } from '../bench/contender.ts'
import { benchFailover, type Case } from '../bench/failover.ts'
import {
  distributionPictures,
  failoverPage,
  failoverTable,
  outagePictures,
  tableText,
} from '../bench/report.ts'
import { ensureNamespaces } from '../lab/namespaces.ts'
import { exit } from './exit.ts'

export type BenchOptions = {
  readonly n: number
  /** Seconds. */
  readonly advertInts: readonly number[]
  readonly causes: readonly string[]
  /** Commands. */
  readonly keepalived: readonly string[]
  readonly vipd: boolean
  /** Where JSON, pictures and the page go; null: nowhere. */
  readonly out: string | null
}

export async function commandBench(options: BenchOptions): Promise<number> {
  const unknown = options.causes.filter((word) => !isCause(word))
  if (unknown.length > 0) return refuse(`no such cause: ${unknown.join(', ')}`)
  ensureNamespaces()
  const contenders = contendersOf(options)
  if (contenders.length === 0) return refuse('nobody takes part')
  const cases = await benchFailover({
    contenders,
    causes: options.causes.filter(isCause),
    advertInts: options.advertInts,
    n: options.n,
    progress: tell,
  })
  tell('')
  process.stdout.write(`${tableText(failoverTable(cases))}\n`)
  if (options.out !== null) write(options.out, cases, contenders)
  return exit.ok
}

function refuse(why: string): number {
  process.stderr.write(`vipd bench: ${why}\n`)
  return exit.usage
}

function contendersOf({ keepalived, vipd }: BenchOptions): Contender[] {
  const found = keepalived.flatMap((command) => {
    const contender = keepalivedContender(command)
    if (contender === null) process.stderr.write(`vipd bench: without ${command}: not found\n`)
    return contender === null ? [] : [contender]
  })
  return vipd ? [vipdContender, ...found] : found
}

/** One line that is written over on a terminal; a log gets each. */
function tell(line: string): void {
  const { stderr } = process
  if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`)
  else if (line !== '') stderr.write(`${line}\n`)
}

function write(folder: string, cases: readonly Case[], contenders: readonly Contender[]): void {
  const [cpu] = cpus()
  const names = contenders.map(({ name }) => name).join(', ')
  const words = `${cpus().length} processors (${cpu?.model ?? 'unknown'}), Linux ${release()}, Node ${process.version}; ${names}; version 3, priorities 150 and 100, a question every 250 µs.`
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    `${folder}/failover.json`,
    `${JSON.stringify({ machine: words, cases }, null, 1)}\n`,
  )
  for (const { name, svg } of [...outagePictures(cases), ...distributionPictures(cases)])
    writeFileSync(`${folder}/${name}.svg`, svg)
  writeFileSync(`${folder}/failover.html`, failoverPage(cases, { words }))
  process.stdout.write(`\n${folder}/failover.html\n`)
}
