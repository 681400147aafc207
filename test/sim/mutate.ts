/**
 * `npm run mutants [NAME…]`: each mutant is applied to a copy of the sources in a scratch folder, built there, and run
 * under the simulator until a run breaks. Prints a table; a mutant that survives, or a line to change that is
 * no longer there, fails. Only the file in question is compiled anew, with the command that built the addon.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Mutant } from './mutants/mutant.ts'
import { mutants } from './mutants.ts'

/** Runs until the mutant must have been caught. */
const runsMax = 150
const root = join(import.meta.dirname, '..', '..', '..')

type Outcome = { readonly caught: boolean; readonly seed: string; readonly what: string }

function mutate(mutant: Mutant): Outcome {
  const scratch = mkdtempSync(join(tmpdir(), 'vipd-mutant-'))
  try {
    const environment = mutant.file.startsWith('native/')
      ? { VIPD_ADDON: buildCore(scratch, mutant) }
      : {}
    const tree = mutant.file.startsWith('native/') ? root : buildTree(scratch, mutant)
    return simulate(join(tree, 'dist/test/sim/main.js'), environment)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function mutated({ name, file, find, replace }: Mutant): string {
  const text = readFileSync(join(root, file), 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${name}: not once in ${file}: ${find}`)
  return text.replace(find, () => replace)
}

/** The sources and tests with one file changed, compiled; the types need not be right. */
function buildTree(scratch: string, mutant: Mutant): string {
  for (const name of ['src', 'test', 'bench', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(scratch, name), { recursive: true })
  for (const name of ['node_modules', 'build']) symlinkSync(join(root, name), join(scratch, name))
  writeFileSync(join(scratch, mutant.file), mutated(mutant))
  spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.json'], { cwd: scratch })
  return scratch
}

/** An addon in which only that file of the core differs. */
function buildCore(scratch: string, mutant: Mutant): string {
  const build = join(root, 'build')
  cpSync(join(root, 'native'), join(scratch, 'native'), { recursive: true })
  writeFileSync(join(scratch, mutant.file), mutated(mutant))
  const core = join(scratch, 'core.o')
  const addon = join(scratch, 'vipd.node')
  const kept = `Release/obj.target/vipd/${mutant.file.replace(/\.cc$/, '.o')}`
  const compile = commandOf(join(build, 'Release/.deps', `${kept}.d`))
    .replace(`../${mutant.file}`, join(scratch, mutant.file))
    .replace(`-o ${kept}`, `-o ${core} -Wno-error`)
  const link = commandOf(join(build, 'Release/.deps/Release/obj.target/vipd.node.d'))
    .replace('-o Release/obj.target/vipd.node', `-o ${addon}`)
    .replace(kept, core)
  for (const command of [compile, link])
    execFileSync('sh', ['-c', command], { cwd: build, stdio: ['ignore', 'ignore', 'pipe'] })
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

function simulate(main: string, environment: Readonly<Record<string, string>>): Outcome {
  const env = { ...process.env, ...environment, FROM: '4', RUNS: `${runsMax}`, HOURS: '1000000' }
  const { stdout, stderr, status } = spawnSync(process.execPath, [main], {
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const what = /^BROKEN: (.*)$/m.exec(stdout)?.[1]
  const seed = /again: SEED=(\d+)/.exec(stdout)?.[1] ?? '-'
  if (what === undefined && status !== 0) throw new Error(`the simulator failed: ${stderr}`)
  return { caught: what !== undefined, seed, what: what ?? 'SURVIVED' }
}

const wanted = process.argv.slice(2)
const chosen = mutants.filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
)
let survivors = 0
for (const mutant of chosen) {
  const { caught, seed, what } = mutate(mutant)
  if (!caught) survivors += 1
  process.stdout.write(`${caught ? 'caught' : 'ALIVE '}  ${mutant.name}\n`)
  process.stdout.write(
    `        ${mutant.file}, SEED=${seed}: ${what.replace(/^Error: /, '').slice(0, 200)}\n`,
  )
}
process.stdout.write(`${chosen.length} mutants, ${survivors} survived\n`)
process.exitCode = survivors === 0 ? 0 : 1
