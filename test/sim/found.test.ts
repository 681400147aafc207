/** Runs that once broke a rule, each by its seed. A file of its own: the storms take as long as all that runs beside them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedsOf } from './seeds.ts'
import { profileOf, run } from './simulation.ts'

test('a reload behind a stalled main thread does not overrule a better master', () => {
  const { broken } = run(900_196)
  assert.equal(broken, null, `SEED=900196: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('a changed priority that crosses with the take-over takes no address away', () => {
  for (const seed of [17, 237, 347]) {
    const { broken } = run(seed)
    assert.equal(broken, null, `SEED=${seed}: ${broken?.what}\n${broken?.trace.join('\n')}`)
  }
})

test('a better master whose advert was superseded ends a preempt_delay all the same', () => {
  const { broken } = run(109_863_694)
  assert.equal(broken, null, `SEED=109863694: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('another process that begins while the interface is absent forgets no sequence and no replay mark', () => {
  const { broken } = run(75)
  assert.equal(broken, null, `SEED=75: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('a master that was heard after its BFD session was lost stays the master', () => {
  const { broken } = run(106_837_927)
  assert.equal(broken, null, `SEED=106837927: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('a sync group that takes over by a lost session decides it when its master may have been heard again', () => {
  const { broken } = run(49, 'life')
  assert.equal(broken, null, `SEED=49: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('sessions that were seized from a dead thread take over from no master that is heard', () => {
  const { broken } = run(126, 'life')
  assert.equal(broken, null, `SEED=126: ${broken?.what}\n${broken?.trace.join('\n')}`)
})

test('a seed is a run: the same seed gives the same digest, another one another', () => {
  const [first = 0, second = 0] = seedsOf('storm', 2)
  assert.equal(profileOf(first), 'storm')
  const digest = (seed: number): number => run(seed, 'life').digest
  assert.equal(digest(first), digest(first))
  assert.notEqual(digest(first), digest(second))
})
