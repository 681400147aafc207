/** The answer to all clients that ask for the same of one status: made for the first of them, and there once. */
import type { Status } from '../../report/status.ts'

const known = new WeakMap<Status, Map<string, Buffer>>()

/** `what`: of a fixed few. `make` is called for the first that asks. UTF-8. */
export function madeOnce(status: Status, what: string, make: () => string): Buffer {
  const forms = known.get(status) ?? new Map<string, Buffer>()
  known.set(status, forms)
  const made = forms.get(what) ?? Buffer.from(make())
  forms.set(what, made)
  return made
}

/** JSON in one line, without its end. */
export const statusBytes = (status: Status): Buffer =>
  madeOnce(status, 'json', () => JSON.stringify(status))
