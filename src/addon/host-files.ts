/**
 * Files in directories that other users may write, through the addon: by descriptor, following no other user's symbolic
 * link. The calls wait for the file system and for nothing else.
 */

import { errnoName } from './errno.ts'
import { loadAddon } from './load.ts'

type Owner = { readonly uid: number; readonly gid: number }

type HostFiles = {
  /** `replaced`: one was there before. Throws an Error with `errno` and `detail`. */
  makeFifo(path: string, owner: Owner | null): { readonly fd: number; readonly replaced: boolean }
  /** One that is there and ours or root's: a descriptor, or the negative errno. */
  useFifo(path: string, owner: Owner | null): number
  /** If the file at the path is still the one that is open. */
  removeFifo(path: string, fd: number): void
  /** 0 or the errno. */
  makePipe(path: string, mode: number): number
  writeFile(path: string, text: string, overwrite: boolean): number
}

let loaded: HostFiles | null = null

/** Loads the addon at the first use. */
export function hostFiles(): HostFiles {
  loaded ??= loadAddon() as HostFiles
  return loaded
}

/** Writes a regular file that has no other name; a new one has mode 0644. Throws an Error with `code`. */
export function writeFileSafely(path: string, text: string, overwrite: boolean): void {
  const errno = hostFiles().writeFile(path, text, overwrite)
  if (errno === 0) return
  const code = errnoName(errno)
  throw Object.assign(new Error(`${path}: ${code}`), { code })
}
