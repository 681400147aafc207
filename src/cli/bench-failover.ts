/** `vipd bench failover`: how long a pair on this machine takes to fail over, beside keepalived. */
import { writeFileSync } from 'node:fs'
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
import { claimDirectory } from './make-directory.ts'

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

export async function benchFailoverCommand(options: BenchOptions): Promise<number> {
  const unknown = options.causes.filter((word) => !isCause(word))
  if (unknown.length > 0) return refuse(`no such cause: ${unknown.join(', ')}`)
  ensureNamespaces()
  const contenders = contendersOf(options)
  if (contenders.length === 0) return refuse('no daemon to measure: neither vipd nor keepalived')
  try {
    // Before the hour that it takes.
    if (options.out !== null) claimDirectory(options.out)
    await run(options, contenders)
    return exit.ok
  } catch (error) {
    tell('')
    process.stderr.write(`vipd bench: ${error instanceof Error ? error.message : String(error)}\n`)
    return exit.degraded
  }
}

/** What has been measured is printed and written also when a later trial fails. */
async function run(options: BenchOptions, contenders: readonly Contender[]): Promise<void> {
  const { out, n, advertInts } = options
  const cases: Case[] = []
  const causes = options.causes.filter(isCause)
  try {
    for await (const more of benchFailover({ contenders, causes, advertInts, n, progress: tell })) {
      cases.push(...more)
      if (out !== null) write(out, cases, contenders)
    }
  } finally {
    tell('')
    if (cases.length > 0) process.stdout.write(`${tableText(failoverTable(cases))}\n`)
  }
  if (out !== null) process.stdout.write(`\n${out}/failover.html\n`)
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
  writeFileSync(
    `${folder}/failover.json`,
    `${JSON.stringify({ machine: words, cases }, null, 1)}\n`,
  )
  for (const { name, svg } of [...outagePictures(cases), ...distributionPictures(cases)])
    writeFileSync(`${folder}/${name}.svg`, svg)
  writeFileSync(`${folder}/failover.html`, failoverPage(cases, { words }))
}
