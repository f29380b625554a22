// Installs what `npm start` and `npm test` need. Runs on any Node from 18 on, before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const at = (...parts) => join(root, ...parts)
const say = (text) => process.stdout.write(`loadpath: ${text}\n`)

class Unprepared extends Error {}

/** Runs a command in the repository; a failure ends the preparation with `mend`. */
function run(command, args, mend) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0)
    throw new Unprepared(`${command} ${args.join(' ')} failed${error ? ` (${error.message})` : ''}. ${mend}`)
}

const packagesAreIn = () => {
  const installed = at('node_modules', '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs
}

function installPackages() {
  say('installing the packages of package-lock.json (npm ci) …')
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const mend = 'npm says why above'
  if (npm?.endsWith('.js')) run(process.execPath, [npm, ...args], mend)
  else run('npm', args, mend)
}

/** The package `node` brings the Node that everything here runs on, whatever the machine has. */
function checkNode() {
  const { stdout } = spawnSync(at('node_modules', '.bin', 'node'), ['--version'], { encoding: 'utf8' })
  if (!stdout?.startsWith('v24.'))
    throw new Unprepared(
      `node_modules/.bin/node is ${stdout?.trim() || 'missing'}, expected v24: npm did not run the install script of the package node. Run: npm rebuild node`,
    )
}

const python = at('.loadpath', 'python')
const pins = readFileSync(at('local', 'requirements.txt'), 'utf8')
const stamp = join(python, 'installed.txt')

const pythonIsIn = () =>
  existsSync(join(python, 'bin', 'ministack')) &&
  existsSync(join(python, 'bin', 'python3')) &&
  existsSync(stamp) &&
  readFileSync(stamp, 'utf8') === pins

function installPython() {
  const interpreter = findPython()
  say(`installing the local AWS endpoint, MiniStack, into .loadpath/python (${interpreter}) …`)
  rmSync(python, { recursive: true, force: true })
  run(interpreter, ['-m', 'venv', python], 'On Debian and Ubuntu: apt-get install python3-venv')
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check']
  run(join(python, 'bin', 'python3'), [...pip, '-r', at('local', 'requirements.txt')], 'pip says why above')
  writeFileSync(stamp, pins)
}

function findPython() {
  const names = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']
  const ask = 'import sys; print(sys.version_info >= (3, 10)); import venv, ensurepip'
  let withoutVenv
  for (const name of names) {
    const { status, stdout } = spawnSync(name, ['-c', ask], { encoding: 'utf8' })
    if (!stdout?.startsWith('True')) continue
    if (status === 0) return name
    withoutVenv ??= name
  }
  throw new Unprepared(
    withoutVenv === undefined
      ? 'Python 3.10 or newer is needed for the local AWS endpoint and none is on the PATH. Install it (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python), or set AWS_ENDPOINT_URL to an endpoint that runs already.'
      : `${withoutVenv} has no venv module, which the local AWS endpoint is installed with. Install it (Debian and Ubuntu: apt-get install python3-venv), or set AWS_ENDPOINT_URL to an endpoint that runs already.`,
  )
}

async function endpointAnswers(url) {
  if (!url) return false
  try {
    await fetch(url, { signal: AbortSignal.timeout(3000) })
    return true
  } catch {
    say(`AWS_ENDPOINT_URL is ${url}, but nothing answers there: preparing an endpoint of our own`)
    return false
  }
}

/** Two preparations at once: the second waits for the first, and takes over from one that died. */
async function alone(work) {
  const lock = at('.loadpath', 'prepare.lock')
  mkdirSync(at('.loadpath'), { recursive: true })
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (!waited) say('another preparation is under way; waiting for it …')
    if (isAbandoned(lock)) rmSync(lock, { force: true })
    else await new Promise((resolve) => setTimeout(resolve, 500))
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isAbandoned(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'))
    // an empty lock is one that is being written just now
    if (pid > 0) process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

// Tests always start an endpoint of their own, so that they never touch the one that somebody works with.
const needsPython = process.argv.includes('--test')
  ? !process.env.LOADPATH_TEST_ENDPOINT
  : !(await endpointAnswers(process.env.AWS_ENDPOINT_URL))

try {
  if (!packagesAreIn() || (needsPython && !pythonIsIn()))
    await alone(() => {
      if (!packagesAreIn()) installPackages()
      if (needsPython && !pythonIsIn()) installPython()
    })
  checkNode()
} catch (error) {
  if (!(error instanceof Unprepared)) throw error
  process.stderr.write(`loadpath: ${error.message}\n`)
  process.exitCode = 1
}
