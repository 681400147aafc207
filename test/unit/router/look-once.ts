/** One look at the interfaces, on timers of the test: until it is over. */
import { mock } from 'node:test'

export async function lookOnce(looks: { look(nowMs: number): Promise<void> }): Promise<void> {
  let at = 0
  let done = false
  mock.timers.enable({ apis: ['setTimeout'] })
  const clock = mock.method(performance, 'now', () => at)
  try {
    const look = looks.look(0).finally(() => {
      done = true
    })
    while (!done) {
      at += 50
      mock.timers.tick(50)
      await new Promise((turned) => setImmediate(turned))
    }
    await look
  } finally {
    clock.mock.restore()
    mock.timers.reset()
  }
}
