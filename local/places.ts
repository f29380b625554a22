import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The clone that this file is part of. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Executables of the installed packages; first on the PATH of all that is started here, for the Node that lies there. */
export const executables = join(root, 'node_modules', '.bin')

const own = join(root, '.loadpath')

/** Where everything is kept that running on this machine leaves behind. */
export const places = {
  own,
  /** of the environment that the endpoint is installed in */
  python: join(own, 'python', 'bin', 'python3'),
  /** what the endpoint keeps from one start to the next */
  state: join(own, 'state'),
  logs: join(own, 'logs'),
  /** the templates of the local stage as they were deployed last */
  assembly: join(own, 'cdk.out'),
  /** what runs now, with its secrets; mode 0600 */
  running: join(own, 'local.json'),
}
