/**
 * A copy of the built project in a scratch folder in which one mutant is alive. Only its file is compiled anew: a source of
 * the core with the command that built the addon, any other without asking whether its types are right.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Mutant } from './mutant.ts'

export type Built = {
  /** Of the simulator. */
  readonly main: string
  readonly environment: Readonly<Record<string, string>>
}

/** Throws Error when the line to change is not there once, or the changed file cannot be built. */
export function build(root: string, scratch: string, mutant: Mutant): Built {
  const isCore = mutant.file.startsWith('native/')
  const tree = isCore ? root : buildTree(root, scratch, mutant)
  const environment = isCore ? { VIPD_ADDON: buildCore(root, scratch, mutant) } : {}
  return { main: join(tree, 'dist/test/sim/main.js'), environment }
}

function mutated(root: string, { name, file, find, replace }: Mutant): string {
  const text = readFileSync(join(root, file), 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${name}: not once in ${file}: ${find}`)
  return text.replace(find, () => replace)
}

function buildTree(root: string, scratch: string, mutant: Mutant): string {
  for (const name of ['package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(scratch, name))
  // Thousands of files: links where the scratch folder is on the same file system.
  execFileSync('sh', [
    '-c',
    'cp -al "$1" "$2" 2> /dev/null || cp -a "$1" "$2"',
    'sh',
    join(root, 'dist'),
    scratch,
  ])
  for (const name of ['node_modules', 'build']) symlinkSync(join(root, name), join(scratch, name))
  const built = join(scratch, 'dist', mutant.file.replace(/\.ts$/, '.js'))
  rmSync(built)
  mkdirSync(dirname(join(scratch, mutant.file)), { recursive: true })
  writeFileSync(join(scratch, mutant.file), mutated(root, mutant))
  const alone = { noCheck: true, noResolve: true, sourceMap: false }
  const project = { extends: './tsconfig.json', compilerOptions: alone, files: [mutant.file] }
  writeFileSync(join(scratch, 'mutant.json'), JSON.stringify({ ...project, include: [] }))
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'mutant.json'], { cwd: scratch })
  readFileSync(built)
  return scratch
}

/** An addon in which only that file of the core differs. */
function buildCore(root: string, scratch: string, mutant: Mutant): string {
  const built = join(root, 'build')
  cpSync(join(root, 'native'), join(scratch, 'native'), { recursive: true })
  writeFileSync(join(scratch, mutant.file), mutated(root, mutant))
  const core = join(scratch, 'core.o')
  const addon = join(scratch, 'vipd.node')
  const kept = `Release/obj.target/vipd/${mutant.file.replace(/\.cc$/, '.o')}`
  const compile = commandOf(join(built, 'Release/.deps', `${kept}.d`))
    .replace(`../${mutant.file}`, join(scratch, mutant.file))
    .replace(`-o ${kept}`, `-o ${core}`)
    // What a mutant leaves unused is no mistake.
    .replace(/ -Werror\b/g, '')
    // It runs for a second: what takes time is to compile it.
    .replace(/ -O[1-3s]\b/, ' -O0')
  const link = commandOf(join(built, 'Release/.deps/Release/obj.target/vipd.node.d'))
    .replace('-o Release/obj.target/vipd.node', `-o ${addon}`)
    .replace(kept, core)
  for (const command of [compile, link])
    execFileSync('sh', ['-c', command], { cwd: built, stdio: ['ignore', 'ignore', 'pipe'] })
  // One that does not load breaks the first run, which is no sign that the mutant was caught.
  execFileSync(process.execPath, ['-e', `require(${JSON.stringify(addon)})`])
  return addon
}

/** node-gyp keeps each command line beside what it made: `cmd_TARGET := COMMAND`. */
function commandOf(file: string): string {
  const command = /^cmd_\S+ := (.*)$/m.exec(readFileSync(file, 'utf8'))?.[1]
  if (command === undefined) throw new Error(`no command in ${file}: run npm run build first`)
  return command
}
