/**
 * User-mode Linux: a kernel as a process, for the kinds of interface that the machine's own kernel may lack (bonds,
 * VLANs, VRF, ipvlan, netem). Its root is this machine's, read-only; the project and a folder for results are mounted
 * again. A file of tests runs in it and leaves its TAP in that folder: started by init itself, or by systemd, which has
 * the unit of systemd/ then.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { program, projectRoot } from '../../src/lab/program.ts'

const modules = 'veth bridge macvlan 8021q sch_netem vrf ipvlan dummy'

export type Init = 'script' | 'systemd'

/** `max_bonds=0`: no bond0 by itself. `/dev/fd` is for shells. */
const initScript = (out: string, test: string, init: Init): string => `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
for folder in /run /tmp /dev/shm; do mkdir -p $folder 2>/dev/null; mount -t tmpfs tmpfs $folder; done
mkdir -p '${projectRoot}' '${out}'
mount -t hostfs none '${projectRoot}' -o '${projectRoot}'
mount -t hostfs none '${out}' -o '${out}'
exec > '${out}/log' 2>&1
version=$(uname -r)
mkdir -p /run/kernel/lib/modules
ln -s /usr/lib/uml/modules/$version /run/kernel/lib/modules/$version
for module in ${modules}; do modprobe -d /run/kernel $module || echo "no $module"; done
modprobe -d /run/kernel bonding max_bonds=0 || echo "no bonding"
ln -sfn /proc/self/fd /dev/fd
ip link set lo up
hostname uml
cat > /run/run-test <<'END'
#!/bin/sh
export HOME=/tmp PATH='${dirname(process.execPath)}':/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export VIPD_LAB_INSIDE=1
cd '${projectRoot}'
node --enable-source-maps --test-reporter=tap --test-reporter-destination='${out}/tap' \\
  --test-reporter=spec --test-reporter-destination='${out}/spec' '${test}'
/sbin/poweroff -f
END
${init === 'script' ? 'exec sh /run/run-test' : systemd}
`

const command = `${process.execPath} ${program('../cli/run.js')}`

/**
 * The unit as it is, but for the paths of the program and of its configuration: /etc is the machine's own. It sees the
 * project also when that lies where PrivateTmp= and ProtectHome= hide it.
 */
const systemd = `mkdir -p /run/systemd/system
sed 's|/usr/bin/vipd run|${command} run -f /run/vipd.conf|; s|/usr/bin/vipd|${command}|; s#/etc/vipd/vipd.conf#/run/vipd.conf#' \\
  '${join(projectRoot, 'systemd/vipd.service')}' > /run/systemd/system/vipd.service
mkdir /run/systemd/system/vipd.service.d
printf '[Service]\\nBindReadOnlyPaths=%s\\n' '${projectRoot}' > /run/systemd/system/vipd.service.d/project.conf
cat > /run/systemd/system/test.service <<'END'
[Service]
ExecStart=/bin/sh /run/run-test
END
cat > /run/systemd/system/test.target <<'END'
[Unit]
Requires=sysinit.target
Wants=test.service
END
exec /lib/systemd/systemd --unit=test.target --log-target=kmsg --show-status=false`

export type Booted = {
  /** TAP of the tests inside; '' when it did not come so far. */
  readonly tap: string
  /** What a person reads: the tests' report, else what the kernel and init said. */
  readonly said: string
}

/** Boots, runs the compiled file of tests at `test`, and takes the machine down, also when the time is over. */
export async function runInUml(test: string, init: Init, timeoutMs: number): Promise<Booted> {
  const out = mkdtempSync(join(tmpdir(), 'vipd-uml-'))
  try {
    const path = join(out, 'init.sh')
    writeFileSync(path, initScript(out, test, init), { mode: 0o755 })
    const consoleText = await boot(path, timeoutMs)
    const file = (name: string) => read(join(out, name))
    const said = [file('spec'), file('log'), consoleText].join('\n').slice(-20_000)
    return { tap: file('tap'), said }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
}
function boot(init: string, timeoutMs: number): Promise<string> {
  const memory = ['mem=1536M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro']
  const consoles = ['con=null', 'con0=null,fd:1', 'con1=null', 'quiet']
  const name = `umid=vipd-${process.pid}-${++booted}`
  // A group of its own: the kernel's processes end with it.
  const child = spawn('linux', [name, ...memory, `init=${init}`, ...consoles], { detached: true })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  child.stderr.on('data', (piece: Buffer) => pieces.push(piece))
  return new Promise((resolve, reject) => {
    const end = () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }
    const timer = setTimeout(end, timeoutMs)
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(pieces).toString('latin1'))
    })
  })
}

let booted = 0

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
