/** One rtnetlink request through the engine, as a promise. */
import { OpError } from '../base/errors.ts'
import type { Engine } from '../engine/contract.ts'

/** Rejects with OpError. Stays open when the engine stops meanwhile. */
export const request = (engine: Pick<Engine, 'request'>, bytes: Uint8Array): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    engine.request(bytes, (answer) => {
      if (answer instanceof OpError) reject(answer)
      else resolve(answer)
    })
  })
