/**
 * Finds and loads the native addon. The compiled output lies in dist/ or beside it, so the package root is looked for
 * upwards from here. What the addon exports is said by those who use it.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Loads the addon; built or prebuilt, as node-gyp-build finds it. VIPD_ADDON names another file, for the sanitizers. */
export function loadAddon(): unknown {
  const require = createRequire(import.meta.url)
  const other = process.env['VIPD_ADDON']
  if (other !== undefined && other !== '') return require(other)
  const load = require('node-gyp-build') as (root: string) => unknown
  return load(packageRoot())
}

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('the package.json of vipd is not above its code')
    folder = parent
  }
  return folder
}
