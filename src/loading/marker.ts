/** `reload_file`: a file that says that the configuration is being read. */
import { unlinkSync } from 'node:fs'
import { writeFileSafely } from '../addon/host-files.ts'

/** The file at `path` is there meanwhile. `failed`: why it is not, or stays. */
export function marked<T>(path: string | null, act: () => T, failed: (why: string) => void): T {
  if (path === null) return act()
  const attempt = (call: () => void): void => {
    try {
      call()
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error))
    }
  }
  attempt(() => writeFileSafely(path, '', true))
  try {
    return act()
  } finally {
    attempt(() => unlinkSync(path))
  }
}
