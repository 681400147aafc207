/**
 * The file of a Unix socket. It is made in a directory that no other user may enter, given its owner and mode there, and
 * then renamed to its place: at no moment can more users connect than shall.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import type { HttpAddress } from '../../config/http.ts'
import { isAnswered } from '../../sockets/answered.ts'

export type SocketFile = {
  /** Unless something else is in its place by now. */
  remove(): void
}

/**
 * A socket that a dead process left is replaced; one that answers, or a file of another kind, is not. `bind`: listens at
 * the path that it is given. Rejects with an Error that says why not.
 */
export async function openSocketFile(
  { path, mode, gid }: Extract<HttpAddress, { kind: 'unix' }>,
  bind: (path: string) => Promise<void>,
): Promise<SocketFile> {
  await requireFree(path)
  const private_ = mkdtempSync(`${path}.`)
  try {
    const made = join(private_, 's')
    await bind(made)
    if (gid !== null) chownSync(made, -1, gid)
    chmodSync(made, mode)
    const { ino } = statSync(made)
    renameSync(made, path)
    return { remove: () => removeOwn(path, ino) }
  } finally {
    rmSync(private_, { recursive: true, force: true })
  }
}

function removeOwn(path: string, ino: number): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) unlinkSync(path)
}

async function requireFree(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket()) throw new Error(`${path} is there and is no socket`)
  if (await isAnswered(path)) throw new Error(`another program is served at ${path}`)
}
