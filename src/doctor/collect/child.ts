/** The collector, as a process of its own: what it reads may hang, and it can be killed. */
import type { Unseen } from '../facts.ts'
import { collectConfig } from './config.ts'
import { collectHost } from './host.ts'
import type { Answer, Request } from './protocol.ts'

const say = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

async function collect(request: Request): Promise<void> {
  if (request.kind === 'config') say({ config: collectConfig(request.path, request.language) })
  else
    await collectHost(
      request,
      (host) => say({ host }),
      (unseen: Unseen) => say({ unseen }),
    )
}

await collect(JSON.parse(process.argv[2] ?? '') as Request)
