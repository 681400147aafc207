/** Where the compiled programs are that run inside hosts, from wherever this one was compiled to. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of a compiled file, given relative to the folder of this one: './httpd.js'. */
export const program = (relative: string): string =>
  fileURLToPath(new URL(relative, import.meta.url))

/** The folder that package.json is in. */
export const projectRoot: string = (() => {
  let at = dirname(program('.'))
  while (!existsSync(`${at}/package.json`) && at !== '/') at = dirname(at)
  return at
})()
