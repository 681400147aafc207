/**
 * The checks of the article, each passing and failing, end to end: the address moves to the other host and comes
 * back. Then the checks that misbehave: hang, vanish, lose their permission, talk too much, leave children.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Daemon } from '../../src/lab/daemon.ts'
import type { Host } from '../../src/lab/host.ts'
import type { Lab } from '../../src/lab/lab.ts'
import { program } from '../../src/lab/program.ts'
import { conf, inLab, start } from './pair.ts'

const vip = '172.16.80.100'
const script = '/run/lab/check.sh'
/** Interval and timeout of the check, start of a process, and a down interval; generously. */
const soonMs = 15_000

type Case = {
  readonly name: string
  /** The `script` string of the vrrp_script, or its `probe` line. */
  readonly script: string
  readonly probe?: true
  readonly pass: (host: Host) => Promise<unknown>
  readonly fail: (host: Host) => Promise<unknown>
  /** Text of the script file, when there is one. */
  readonly file?: string
}

async function startWeb(host: Host): Promise<void> {
  await host.sh('mkdir -p /run/httpd')
  const args = [program('./httpd.js'), '80', '/run/httpd/httpd.pid']
  const web = host.spawn(process.execPath, args, { name: 'httpd' })
  await web.line(/listening/, soonMs)
}

async function stopWeb(host: Host): Promise<void> {
  const web = host.children.findLast((child) => child.name.startsWith('httpd'))
  await web?.stop(5_000)
  await host.sh('rm -f /run/httpd/httpd.pid')
}

const web = { pass: startWeb, fail: stopWeb }
const flag = {
  pass: (host: Host) => host.sh('rm -f /run/lab/bad'),
  fail: async (host: Host) => host.write('/run/lab/bad', ''),
}

const article: readonly Case[] = [
  { name: 'killall -0', script: 'killall -0 httpd', ...web },
  { name: '/dev/tcp', script: '</dev/tcp/127.0.0.1/80', ...web },
  {
    name: 'a shell statement about a pid file',
    script: 'if [ -f /run/httpd/httpd.pid ]; then exit 0; else exit 1; fi',
    ...web,
  },
  {
    name: 'a script file',
    script,
    file: '#!/bin/sh\nif [ -e /run/lab/bad ]; then exit 1; fi\nexit 0\n',
    ...flag,
  },
]

const misbehaving: readonly Case[] = [
  {
    name: 'a script that hangs',
    script,
    file: '#!/bin/sh\nif [ -e /run/lab/bad ]; then sleep 1000; fi\nexit 0\n',
    ...flag,
  },
  {
    name: 'a script that ignores SIGTERM while it hangs',
    script,
    file: '#!/bin/sh\ntrap "" TERM\nif [ -e /run/lab/bad ]; then sleep 1000; fi\nexit 0\n',
    ...flag,
  },
  {
    name: 'a script that goes missing',
    script,
    file: '#!/bin/sh\nexit 0\n',
    pass: (host) => host.must('mv', [`${script}.away`, script]),
    fail: (host) => host.must('mv', [script, `${script}.away`]),
  },
  {
    name: 'a script that is no longer executable',
    script,
    file: '#!/bin/sh\nexit 0\n',
    pass: (host) => host.must('chmod', ['755', script]),
    fail: (host) => host.must('chmod', ['644', script]),
  },
  {
    name: 'a script that writes megabytes',
    script,
    file: '#!/bin/sh\nhead -c 20000000 /dev/zero\ntest ! -e /run/lab/bad\n',
    ...flag,
  },
  {
    name: 'a script that forks a child that stays',
    script,
    file: '#!/bin/sh\nsleep 1000 &\ntest ! -e /run/lab/bad\n',
    ...flag,
  },
]

const probes: readonly Case[] = [
  {
    name: 'probe http',
    script: 'http http://127.0.0.1/ status 200 body "one|two"',
    probe: true,
    ...web,
  },
]

const config = (
  { script: text, probe }: Pick<Case, 'script' | 'probe'>,
  priority: number,
): string =>
  conf({
    priority,
    before: `vrrp_script chk {\n  ${probe ? `probe ${text}` : `script "${text}"`}\n  interval 1\n}`,
    more: 'track_script {\n    chk\n  }',
  })

async function open(lab: Lab, check: Case): Promise<readonly [Host, Host]> {
  const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
  const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
  for (const host of [one, two]) {
    if (check.file === undefined) await check.pass(host)
    else host.write(script, check.file, 0o755)
  }
  return [one, two]
}

async function leads(daemon: Daemon): Promise<void> {
  await daemon.reaches('VI_1', 'MASTER', soonMs)
  await daemon.host.awaitAddress(vip, true, soonMs)
}

async function movesAndComesBack(lab: Lab, check: Case): Promise<void> {
  const [one, two] = await open(lab, check)
  const better = start('vipd', one, config(check, 150))
  const other = start('vipd', two, config(check, 100))
  await leads(better)
  await check.fail(one)
  await leads(other)
  await better.reaches('VI_1', 'FAULT', soonMs)
  await one.awaitAddress(vip, false, soonMs)
  await check.pass(one)
  await leads(better)
  await other.reaches('VI_1', 'BACKUP', soonMs)
  await two.awaitAddress(vip, false, soonMs)
  assert.deepEqual(
    better.transitions.items.map((t) => t.to),
    ['BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER'],
  )
}

describe("the article's checks", { concurrency: 4 }, () => {
  for (const check of article) {
    test(check.name, () => inLab('article', (lab) => movesAndComesBack(lab, check)))
  }
})

describe('in-process probes', () => {
  for (const check of probes) {
    test(check.name, () => inLab('article', (lab) => movesAndComesBack(lab, check)))
  }
})

describe('checks that misbehave', { concurrency: 4 }, () => {
  for (const check of misbehaving) {
    test(check.name, () => inLab('article', (lab) => movesAndComesBack(lab, check)))
  }

  test('a script that was never there: the host without it does not lead', () =>
    inLab('article', async (lab) => {
      const one = await lab.host('one', { addresses: { eth0: ['172.16.80.2/24'] } })
      const two = await lab.host('two', { addresses: { eth0: ['172.16.80.3/24'] } })
      two.write(script, '#!/bin/sh\nexit 0\n', 0o755)
      const better = start('vipd', one, config({ script }, 150))
      const other = start('vipd', two, config({ script }, 100))
      await leads(other)
      await better.reaches('VI_1', 'FAULT', soonMs)
      assert.equal(await one.holds(vip), false)
    }))
})
