/** What another process passed on of sequences and replay marks waits for the sockets of its slot. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { us } from '../../../src/base/time.ts'
import { Links } from '../../../src/router/binding/sockets.ts'
import { BookEngine } from './book-engine.ts'
import { ip } from './facts.ts'

const heard = { address: ip('10.5.0.2'), sequence: '0000006800000001', skewSeconds: 0, at: us(7) }
const memory = { sent: '0000006800000000', heard: [heard] }
const seal = { kind: 'hmac' } as unknown as NonNullable<Parameters<Links['seal']>[1]>

test('a slot without sockets keeps it, passes it on again, and seals with it once it has some', () => {
  const engine = new BookEngine()
  const links = new Links(engine)
  links.recallSeal(1, memory)
  assert.deepEqual(links.sealMemory(1), memory, 'a further process gets it too')
  assert.equal(engine.sealMemories.size, 0)
  links.seal(1, seal, () => undefined)
  assert.deepEqual(engine.sealMemories.get(1), memory)
  const later = { ...memory, sent: '0000006800000009' }
  engine.sealMemories.set(1, later)
  assert.deepEqual(links.sealMemory(1), later, 'from now on the engine knows')
})

test('nothing that was passed on is nothing to keep', () => {
  const engine = new BookEngine()
  const links = new Links(engine)
  links.recallSeal(1, { sent: '0'.repeat(16), heard: [] })
  engine.sealMemories.set(1, memory)
  assert.deepEqual(links.sealMemory(1), memory)
})
