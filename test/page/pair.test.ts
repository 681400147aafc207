/** The page of a real pair in a real browser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../unit/surfaces/http-client.ts'
import { serving } from '../unit/surfaces/http-daemon.ts'
import { Browser } from './browser.ts'
import { actToken, freePort, inSite, overflows, stateIs, strayText } from './site.ts'

/** What the page says, sooner or later: what is told in another answer than a state may come after it. */
async function says(browser: Browser, ...what: readonly RegExp[]): Promise<void> {
  for (const it of what) await browser.until(`${it}`, `${it}.test(document.body.innerText)`)
}
const visible = (browser: Browser): Promise<string> => browser.eval('document.body.innerText')
const buttons = (browser: Browser): Promise<string[]> =>
  browser.eval(
    '[...document.querySelectorAll("button")].filter((it) => it.checkVisibility()).map((it) => it.textContent)',
  )
const orders = /Fail over|Drain|Resume|Run now|token/
const press = (browser: Browser, text: string): Promise<void> =>
  browser.eval(
    `[...document.querySelectorAll("button")].find((it) => it.checkVisibility() && it.textContent.startsWith(${JSON.stringify(text)})).click()`,
  )

/**
 * What has moved without being asked to: the browser's own measure (Layout Instability). The list of transitions grows at
 * its top; nothing else may.
 */
const watchShifts = `
  window.shifts = []
  window.lastShifts = 0
  new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries())
      for (const { node } of sources) {
        window.lastShifts += 1
        if (node?.parentElement?.closest('.events') == null)
          window.shifts.push(node?.className || node?.nodeName || 'gone')
      }
  }).observe({ type: 'layout-shift' })
`

test('the page is served from memory, and asked for again only when it has changed', async () => {
  const listener = {
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 } as const,
    ...{ readToken: null, actionToken: null, tls: null, names: [] },
  }
  const port = await freePort()
  await serving([{ ...listener, address: { ...listener.address, port } }], async () => {
    const page = await ask(port, '/')
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/)
    const named = [...page.body.matchAll(/(?:src|href)="(\/page\/[^"]+)"/g)].map(([, path]) => path)
    assert.equal(named.length, 3)
    for (const path of named) assert.equal((await ask(port, path ?? '')).status, 200, path)
    const again = await ask(port, '/', { headers: { 'If-None-Match': String(page.headers.etag) } })
    assert.deepEqual([again.status, again.body], [304, ''])
  })
})

test('a fail-over is seen without a reload; it fits a phone, in both colours', async () => {
  await inSite('', async ({ one, vipd, browser, url }) => {
    await browser.size(1280, 900)
    await browser.go(url)
    await browser.until('the state', stateIs('MASTER'))
    await browser.until(
      'figures of the check',
      'document.querySelector(".picture.runs rect") !== null',
    )
    await browser.eval('window.notReloaded = true')
    await says(browser, /Addresses\n1\/1 here/, /150 \+ 5 \(chk_web\) = 155/, /timeout 2 s/)
    assert.deepEqual(
      (await buttons(browser)).filter((text) => orders.test(text)),
      [],
    )

    await browser.until('the peer', '/lb2, priority 105/.test(document.body.innerText)')
    // The peer's line itself makes its card longer: once, as the page is opened.
    await browser.painted()
    await browser.eval(watchShifts)
    await one.run('ip', ['link', 'set', 'eth0', 'down'])
    await browser.until('the fault', stateIs('FAULT'))
    await browser.until('why', '/eth0/.test(document.querySelector(".why").textContent)')
    await one.run('ip', ['link', 'set', 'eth0', 'up'])
    await browser.until('the return', stateIs('MASTER'))
    await browser.until('the list', 'document.querySelectorAll(".events li").length >= 4')
    assert.equal(await browser.eval('window.notReloaded'), true)
    assert.deepEqual(await browser.eval('window.shifts'), [], 'nothing has moved on the page')
    await browser.until('the measure itself', 'window.lastShifts > 0')

    const back = 'getComputedStyle(document.body).backgroundColor'
    await browser.colours('light')
    const light = await browser.eval(back)
    await browser.colours('dark')
    assert.notEqual(await browser.eval(back), light)
    for (const width of [320, 390, 768, 1280]) {
      await browser.size(width, 800)
      assert.equal(await browser.eval(overflows), false, `${width} pixels`)
    }
    assert.deepEqual(browser.complaints, [])

    await vipd.child.signal('SIGKILL')
    await browser.until('old news', 'document.body.classList.contains("stale")')
    await browser.until('words for it', '/No news for/.test(document.body.innerText)')
  })
})

test('by keyboard: “/” leads to the filter, what is typed chooses instances, Escape shows all again', async () => {
  const port = await freePort()
  const address = { kind: 'tcp', host: '127.0.0.1', port } as const
  const none = { readToken: null, actionToken: null, tls: null, names: [] }
  const browser = await Browser.open()
  try {
    await serving([{ address, ...none }], async () => {
      await browser.size(390, 800)
      await browser.go(`http://127.0.0.1:${port}/`)
      const names =
        '[...document.querySelectorAll(".card h2")].map((it) => it.textContent).join(" ")'
      await browser.until('both', `${names} === 'VI_web VI_db'`)
      await browser.key('/', 'Slash', 191)
      assert.equal(await browser.eval('document.activeElement.id'), 'filter')
      await browser.send('Input.insertText', { text: 'db backup' })
      await browser.until('one', `${names} === 'VI_db'`)
      assert.match(await visible(browser), /1 of 2 instances/)
      assert.equal(await browser.eval(overflows), false)
      await browser.key('Escape', 'Escape', 27)
      await browser.until('both', `${names} === 'VI_web VI_db'`)
      assert.deepEqual(browser.complaints, [])
    })
  } finally {
    await browser.close()
  }
})

test('orders: only with the token, after a question, with their outcome', async () => {
  await inSite('action_token /run/lab/token', async ({ browser, url, other, vipd }) => {
    await browser.size(1280, 900)
    await browser.go(url)
    await browser.until('the state', stateIs('MASTER'))
    await browser.until('the peer', '/lb2, priority 105/.test(document.body.innerText)')
    assert.deepEqual(
      (await buttons(browser)).filter((text) => orders.test(text)),
      ['Use the token to act …'],
    )
    await press(browser, 'Use the token')
    const enter = async (token: string) => {
      await browser.eval('document.getElementById("token").focus()')
      await browser.send('Input.insertText', { text: token })
      await browser.key('Enter', 'Enter', 13)
    }
    await enter('not-the-token-at-all')
    await browser.until('a refusal', '/that is not the token/.test(document.body.innerText)')
    await enter(actToken)
    await browser.until(
      'a button',
      '[...document.querySelectorAll("button")].some((it) => it.checkVisibility() && /Fail over/.test(it.textContent))',
    )

    await press(browser, 'Reload …')
    const before = await browser.eval<string>('document.getElementById("confirm").innerText')
    assert.match(before, /\.conf is read again\. It is as it was when it was read/)
    await press(browser, 'Reload the configuration')
    await browser.until(
      'what the reload did',
      '/nothing was different/.test(document.getElementById("confirm").innerText)',
    )
    vipd.configure('vrrp_instance VI_1 {\n')
    await press(browser, 'Close')
    await press(browser, 'Reload …')
    await press(browser, 'Reload the configuration')
    await browser.until(
      'what is wrong with the file',
      '/Rejected, nothing has changed:[^]*vipd.conf:\\d+/.test(document.getElementById("confirm").innerText)',
    )
    await press(browser, 'Close')

    await press(browser, 'Fail over …')
    const question = await browser.eval<string>('document.getElementById("confirm").innerText')
    assert.match(question, /VI_1 is master here with priority 155/)
    assert.match(question, /lb2 said \d.* ago: BACKUP with priority 105\. It takes over/)
    await browser.key('Escape', 'Escape', 27)
    await browser.until('no question', 'document.getElementById("confirm").open === false')
    assert.equal(await browser.eval(stateIs('MASTER')), true, 'nothing was ordered')

    await press(browser, 'Fail over …')
    await press(browser, 'Fail over VI_1')
    await browser.until(
      'the outcome',
      '/took over after/.test(document.getElementById("confirm").innerText)',
    )
    await other.reaches('VI_1', 'MASTER', 30_000)
    await browser.until('the state', stateIs('BACKUP'))
    await browser.until(
      'what comes next',
      '[...document.querySelectorAll(".card button")].some((it) => it.checkVisibility() && /Resume/.test(it.textContent))',
    )
    const unexpected = browser.complaints.filter((text) => !/status of 401/.test(text))
    assert.deepEqual(unexpected, [])
  })
})

test('what does not fit between the hosts is said: two masters, addresses, VRIDs; silence', async () => {
  await inSite('', async ({ browser, url, other }) => {
    await browser.go(url)
    await browser.until('the peer', '/lb2, priority 105/.test(document.body.innerText)')
    assert.deepEqual(await browser.eval('document.querySelectorAll(".finding.alarm").length'), 0)
    other.configure(strayText)
    await other.tryReload()
    await browser.until('an alarm', 'document.querySelector(".finding.alarm") !== null')
    await says(
      browser,
      /VI_1 has two masters: lb1 and lb2 both hold 172\.16\.80\.100/,
      /VI_1: 172\.16\.80\.101\/32 only on lb2/,
      /VI_1: VRID 51 on lb1, 52 on lb2/,
    )
    await other.child.signal('SIGKILL')
    await browser.until('silence', '/lb2 does not answer/.test(document.body.innerText)')
    assert.deepEqual(browser.complaints, [])
  })
})
