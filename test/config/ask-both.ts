/** Asks vipd and the installed keepalived about the same files, in a network namespace with the interfaces they name. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Asked } from './corpus-inside.ts'

/** Configurations are not compiled: they are read where they lie, whatever folder this file was compiled to. */
export const packageRoot: string = rootAbove(dirname(fileURLToPath(import.meta.url)))

function rootAbove(from: string): string {
  return existsSync(join(from, 'package.json')) ? from : rootAbove(dirname(from))
}

/** In the order of `paths`. The namespaces end with the call. */
export function askBoth(paths: readonly string[]): readonly Asked[] {
  const inside = fileURLToPath(new URL('corpus-inside.js', import.meta.url))
  const user = process.getuid?.() === 0 ? [] : ['-Ur']
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [...user, '-n', process.execPath, inside, ...paths],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  )
  assert.equal(status, 0, stderr)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Asked)
}

/** Names that look like interfaces; placeholders of a template (`INTERFACE_GOES`) stay absent. */
export function interfacesOf(path: string): string[] {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => line.replace(/[#!].*/, ''))
  const after = lines.flatMap((line) => [...line.matchAll(/\b(?:interface|dev)\s+(\S+)/g)])
  const lists = [...lines.join('\n').matchAll(/\btrack_interface\s*\{([^}]*)\}/g)]
  const listed = lists.flatMap((list) => [...(list[1] ?? '').matchAll(/^\s*(\S+)/gm)])
  const names = [...after, ...listed].map((found) => found[1] ?? '')
  return names.filter((name) => name !== 'lo' && /^[a-z][a-z0-9._-]{1,14}$/.test(name))
}
