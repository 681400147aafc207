/** A kernel without nf_tables for interfaces: `vipd_kernel_lease` cannot be had, which is said, and all else works. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startVipd } from '../../../src/lab/vipd.ts'
import { until } from '../../../src/lab/wait.ts'
import { inLab } from '../../e2e/pair.ts'
import { leads, on, slowMs } from './pair.ts'

test('on: reported with what the kernel lacks; auto: not; the instance leads', () =>
  inLab('nolease', async (lab) => {
    const one = await lab.host('one', { addresses: { eth0: ['10.80.0.1/24'] } })
    const text = (mode: string) =>
      on('eth0', { priority: 150, globals: `vipd_kernel_lease ${mode}` })
    const vipd = startVipd(one, text('on'))
    await leads(one, vipd)
    const lacks = /the kernel lease is not in force: nft.*Linux 5\.16/
    await vipd.child.line(lacks, slowMs)
    const about = async () => (await vipd.status()).warnings.filter((it) => it.includes('lease'))
    assert.match((await about()).join(), new RegExp(lacks.source, 's'))
    const { kernelLease } = (await vipd.status()).instances[0] ?? {}
    assert.equal(kernelLease?.state, 'missing')
    vipd.configure(text('auto'))
    assert.equal((await vipd.tryReload()).status, 0)
    await until('nothing is said of it', slowMs, async () => (await about()).length === 0)
    assert.equal(vipd.state('VI_1'), 'MASTER')
  }))
