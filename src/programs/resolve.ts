/**
 * Host names to addresses without getaddrinfo, which would sit in libuv's thread pool for as long as a name
 * server is silent: literals, then /etc/hosts, then DNS by c-ares. Search domains of resolv.conf are not
 * applied.
 */
import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'

/** Addresses in the order to try; empty when the name is unknown or no server answered in time. Never rejects. */
export async function resolveHost(host: string, timeoutMs: number): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host]
  const listed = lookUpHosts(readHosts(), host)
  if (listed.length > 0) return listed
  if (host.toLowerCase() === 'localhost') return ['127.0.0.1', '::1']
  return await askDns(host, timeoutMs)
}

/** The addresses that hosts(5) text gives a name, in file order. */
export function lookUpHosts(text: string, host: string): readonly string[] {
  const wanted = host.toLowerCase()
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/)
    const named = names.some((name) => name.toLowerCase() === wanted)
    return named && isIP(address) !== 0 ? [address] : []
  })
}

function readHosts(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8')
  } catch {
    return ''
  }
}

async function askDns(host: string, timeoutMs: number): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: Math.max(1, Math.ceil(timeoutMs)), tries: 1 })
  const deadline = setTimeout(() => resolver.cancel(), timeoutMs)
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  clearTimeout(deadline)
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}
