/** A log on a disk that is full for a while: what was lost is counted, said, and tears no line. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const real = fs.write
let room = Number.POSITIVE_INFINITY
let refusals = 0

/** write(2) on a disk with `room` octets: what fits is written, then ENOSPC. */
function limited(
  fd: number,
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
): void {
  if (room === 0) {
    refusals++
    setImmediate(() => done(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0))
    return
  }
  const part = bytes.subarray(0, Math.min(room, bytes.length))
  room -= part.length
  real(fd, part, (error, written) => done(error, written))
}
fs.write = limited as unknown as typeof fs.write
syncBuiltinESMExports()
after(() => {
  fs.write = real
  syncBuiltinESMExports()
})

const { openLogSink } = await import('../../../src/daemon/log-sink.ts')
const directory = fs.mkdtempSync(join(tmpdir(), 'vipd-full-'))
after(() => fs.rmSync(directory, { recursive: true }))

async function logOn(name: string) {
  const path = join(directory, name)
  const fd = fs.openSync(path, 'a')
  const sink = openLogSink(fd, (count, why) => `${count} lost: ${why}\n`, '')
  const settled = () => sink.flush(10_000)
  return { sink, settled, read: () => fs.readFileSync(path, 'utf8').trimEnd().split('\n') }
}

test('lines that a full disk refused are counted before the first one that is written again', async () => {
  const { sink, settled, read } = await logOn('whole')
  sink.write('before\n')
  await settled()
  room = 0
  for (let i = 0; i < 5; i++) {
    sink.write(`lost ${i}\n`)
    await settled()
  }
  room = Number.POSITIVE_INFINITY
  sink.write('after\n')
  await settled()
  assert.deepEqual(read(), ['before', '5 lost: ENOSPC', 'after'])
})

test('without another line the loss is said at the end, and a disk that stays full is not asked without end', async () => {
  const { sink, settled, read } = await logOn('end')
  room = 0
  refusals = 0
  sink.write('lost\n')
  await settled()
  await settled()
  assert.equal(refusals, 2)
  room = Number.POSITIVE_INFINITY
  assert.equal(await settled(), true)
  assert.deepEqual(read(), ['1 lost: ENOSPC'])
})

test('a line that was cut in its middle is ended, and counts as lost', async () => {
  const { sink, settled, read } = await logOn('torn')
  room = 'first\nsec'.length
  sink.write('first\nsecond\n'.slice(0, 6))
  sink.write('second\n')
  sink.write('third\n')
  await settled()
  room = Number.POSITIVE_INFINITY
  sink.write('after\n')
  await settled()
  assert.deepEqual(read(), ['first', 'sec', '2 lost: ENOSPC', 'after'])
})
