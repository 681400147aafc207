// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${_ENV …} is a reference of the language
/** Which files a reload refuses: what an editor, a full disk or a slip of the hand leaves behind. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { seeded } from '../../../src/base/seeded.ts'
import { type Judgement, judgeReload } from '../../../src/config/explain/judge-reload.ts'
import type { Identified } from '../../../src/config/language/identity.ts'
import type { Config } from '../../../src/config/types.ts'
import type { FakeMachine } from './fake-world.ts'
import { check } from './reading.ts'

const file = `global_defs {
  enable_script_security
  script_user root
}

vrrp_script chk_web {
  script "/usr/bin/true"
  interval 2
  weight -20
}

vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 110
  advert_int 1
  virtual_ipaddress {
    10.0.0.100/24
    10.0.0.101/24 label eth0:1
  }
  track_script {
    chk_web
  }
}

vrrp_instance VI_2 {
  interface eth1
  virtual_router_id 52
  priority 90
  virtual_ipaddress {
    10.0.1.100/24
  }
}
`

type Read = { readonly config: Config | null; readonly diagnostics: readonly Identified[] }

function read(text: string, machine: FakeMachine = {}): Read {
  const report = check(text, machine)
  return { config: report.config, diagnostics: report.identified(10_000) }
}

function judge(running: string, next: string, force = false, machine: FakeMachine = {}): Judgement {
  const { config, diagnostics } = read(running, machine)
  assert.ok(config !== null, 'the running file runs')
  return judgeReload({ config, diagnostics }, read(next, machine), { path: '/c.conf', force })
}

const codes = (judgement: Judgement): readonly string[] =>
  judgement.accepted ? [] : judgement.reasons.map(({ code }) => code)

/** Without places: what the file means. */
const meaning = (config: Config | null): string =>
  JSON.stringify(config, (key, value) => (key === 'place' ? undefined : value))

describe('a file that is cut short', () => {
  test('every prefix is refused, but for those that mean the same or lack whole blocks', () => {
    const whole = meaning(read(file).config)
    const withoutSecond = meaning(read(file.slice(0, file.indexOf('vrrp_instance VI_2'))).config)
    let refused = 0
    for (let length = 0; length < file.length; length++) {
      const prefix = file.slice(0, length)
      const judgement = judge(file, prefix)
      if (!judgement.accepted) refused++
      else
        assert.ok(
          [whole, withoutSecond].includes(meaning(judgement.config)),
          `a prefix of ${length} characters is accepted: …${prefix.slice(-60)}`,
        )
    }
    // Without the last newline, and what ends between the two instances.
    assert.equal(file.length - refused, 4)
  })

  test('it is refused although the running file is cut short in the same block', () => {
    const cut = file.slice(0, file.indexOf('    10.0.1.100/24'))
    const running = `${file}vrrp_instance VI_3 {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 10.9.9.9\n`
    const next = running.slice(0, running.indexOf(' 10.9.9.9'))
    assert.ok(codes(judge(running, next)).includes('missing-close-brace'))
    assert.ok(!judge(file, cut).accepted)
  })
})

describe('a file that means less than it says', () => {
  const cases: readonly (readonly [name: string, from: string, to: string, code: string])[] = [
    ['a priority out of range', 'priority 110', 'priority 1110', 'bad-number'],
    ['a misspelt block', 'track_script {', 'trck_script {', 'unknown-keyword'],
    ['a misspelt keyword', 'priority 110', 'prioritty 110', 'unknown-keyword'],
    ['an unknown script', '    chk_web\n', '    chk_wbe\n', 'unknown-script'],
    ['a word that means nothing', '    chk_web\n', '    chk_web wieght 10\n', 'unknown-word'],
    ['a weight out of range', '    chk_web\n', '    chk_web weight 999\n', 'bad-number'],
    ['two keywords on one line', 'priority 110', 'priority 110 advert_int 2', 'extra-words'],
    ['a bad address', '10.0.0.101/24', '10.0.0.1010/24', 'bad-address'],
    ['a bad prefix length', '10.0.0.101/24', '10.0.0.101/33', 'bad-number'],
    ['a missing script', '/usr/bin/true', '/usr/bin/ture', 'missing-script'],
    ['a command without quotes', '"/usr/bin/true"', '/usr/bin/true --fast', 'unquoted-command'],
    ['a script defined twice', 'vrrp_instance VI_1', 'vrrp_script chk_web {\n script /bin/bash\n}\nvrrp_instance VI_1', 'duplicate'],
    ['a stray brace', 'priority 110', 'priority 110 }', 'unexpected-close-brace'],
    ['an open quote', '"/usr/bin/true"', '"/usr/bin/true', 'unmatched-quote'],
    ['an include that is not there', 'vrrp_script', 'include more.conf\nvrrp_script', 'include-no-match'],
    ['a variable that is not set', 'priority 110', 'priority ${_ENV PRIO}110', 'unset-environment'],
    ['global_defs without a block', 'vrrp_script', 'global_defs\nvrrp_script', 'missing-block'],
    ['no instance', file, '', 'removes-all-instances'],
    ['an instance without its addresses', '    10.0.1.100/24\n  }', '  }\n no_virtual_ipaddress', 'removes-all-addresses'],
  ] // biome-ignore format: a table
  for (const [name, from, to, code] of cases) {
    test(`${name} is refused, and taken by force`, () => {
      assert.ok(file.includes(from), 'the case alters the file')
      const next = file.replace(from, () => to)
      const judgement = judge(file, next)
      assert.ok(codes(judgement).includes(code), `${codes(judgement)}`)
      assert.equal(judgement.accepted || judgement.forcible, true)
      assert.ok(judge(file, next, true).accepted)
    })
  }

  test('random octets are refused', () => {
    const random = seeded(9)
    const octets = Uint8Array.from({ length: 200_000 }, () => Math.floor(random() * 256))
    assert.ok(!judge(file, new TextDecoder().decode(octets)).accepted)
  })

  test('what could not start is refused whatever the force', () => {
    const judgement = judge(file, file.replace('virtual_router_id 51', ''), true)
    assert.ok(!judgement.accepted && !judgement.forcible)
    assert.ok(codes(judgement).includes('missing-vrid'))
  })
})

describe('a file that may replace the running one', () => {
  test('an equal file, and one with an instance less or more', () => {
    const first = file.slice(0, file.indexOf('vrrp_instance VI_2'))
    assert.ok(judge(file, file).accepted)
    assert.ok(judge(file, first).accepted)
    assert.ok(judge(first, file).accepted)
  })

  test('a mistake that the running file has too, wherever it has moved', () => {
    const old = file.replace('priority 90', 'priority 90\n  prioritty 4')
    const moved = `# a line\n\n${old.replace('priority 110', 'priority 120')}`
    assert.ok(judge(old, moved).accepted)
    const elsewhere = file.replace('priority 110', 'priority 110\n  prioritty 4')
    assert.deepEqual(codes(judge(old, elsewhere)), ['unknown-keyword'], 'in another block')
    const others = old.replace('prioritty 4', 'prioritty 5')
    assert.deepEqual(codes(judge(old, others)), ['unknown-keyword'], 'with other words')
  })

  test('script security alone refuses nothing, and hides nothing', () => {
    const files = { '/usr/bin/true': { text: '', mode: 0o777 } }
    const insecure = file.replace('  enable_script_security\n', '')
    assert.equal(check(insecure).exit, 6)
    assert.ok(judge(file, insecure).accepted)
    const both = insecure.replace('priority 110', 'priority 1110')
    assert.equal(check(both).exit, 6, 'the status says nothing of the mistake')
    assert.deepEqual(codes(judge(file, both)), ['bad-number'])
    assert.ok(judge(file, file, false, { files }).accepted)
  })

  test('a file that runs without an instance may be followed by another', () => {
    assert.ok(judge('', file).accepted)
    assert.ok(judge('', '').accepted)
  })
})

test('another network namespace or name is another daemon: refused, with force too', () => {
  for (const [from, to] of [
    ['', 'net_namespace blue'],
    ['net_namespace blue', ''],
    ['net_namespace blue', 'net_namespace green'],
    ['instance a', 'instance b'],
  ]) {
    const judgement = judge(`${from}\n${file}`, `${to}\n${file}`, true)
    assert.ok(!judgement.accepted && !judgement.forcible, `${from} → ${to}`)
    assert.deepEqual(
      judgement.reasons.map(({ code }) => code),
      ['needs-restart'],
    )
  }
  assert.ok(judge(`instance a\n${file}`, `use_pid_dir\ninstance a\n${file}`).accepted)
})
