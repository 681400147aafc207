/** A process of which a thread hangs in a system call, and that ends all the same. Argument: a FIFO. */

import { exitNow } from '../../../src/engine/native.ts'
import { Loader } from '../../../src/loading/loader.ts'

const threadFile = new URL('./faulty-thread.js', import.meta.url)
const language = { configId: null, includeAll: false }
const loader = new Loader({ path: process.argv[2] ?? '', language, threadFile, loadMs: 100 })
const { diagnostics } = await loader.load()
process.stdout.write(`${diagnostics.map(({ code }) => code)}\n`, () => exitNow(7))
