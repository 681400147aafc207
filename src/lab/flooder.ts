/**
 * Runs inside a host: sends the frames of a flood for as long as it lives. The engine does it, as a lead whose repeats
 * are the flood: each millisecond a slice of the frames is due, so the rate is kept without any JavaScript.
 */
import { execFileSync } from 'node:child_process'
import { us } from '../base/time.ts'
import type { Repeat } from '../engine/order.ts'
import { type Flood, framesOf } from './floods.ts'
import { sendFrames } from './frame-sender.ts'

const [, , spec = ''] = process.argv
const flood = JSON.parse(spec) as Flood

type Link = {
  readonly ifindex: number
  readonly stats64: { readonly tx: { readonly packets: number } }
}

function look(): Link {
  const answer = execFileSync('ip', ['-j', '-s', 'link', 'show', flood.link], { encoding: 'utf8' })
  const [link] = JSON.parse(answer) as readonly Link[]
  if (link === undefined) throw new Error(`no interface ${flood.link}`)
  return link
}
const before = look()
const { ifindex } = before

/** A round of frames cut into what one tick sends; slow floods tick more slowly. */
function repeats(): Repeat[] {
  const tickUs = Math.max(1_000, Math.floor(1_000_000 / flood.rate))
  const perTick = Math.max(1, Math.round((flood.rate * tickUs) / 1_000_000))
  const round = framesOf(flood)
  const ticks = Math.max(20, Math.ceil(round.length / perTick))
  return Array.from({ length: ticks }, (_, tick) => ({
    key: `tick ${tick}`,
    firstAfterUs: us((tick + 1) * tickUs),
    everyUs: us(ticks * tickUs),
    plan: Array.from({ length: perTick }, (_, i) => ({
      kind: 'frame' as const,
      ifindex,
      bytes: round[(tick * perTick + i) % round.length] ?? new Uint8Array(),
    })),
  }))
}

const stop = sendFrames(repeats())

const startMs = performance.now()
process.stdout.write('flooding\n')
process.once('SIGTERM', () => {
  const sent = look().stats64.tx.packets - before.stats64.tx.packets
  const perSecond = Math.round((sent * 1_000) / (performance.now() - startMs))
  process.stdout.write(`${perSecond} packets/s\n`)
  stop()
})
