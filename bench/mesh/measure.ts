import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { dynamic } from '../../mesh/dynamic/dynamic.ts'
import { findingsOf } from '../../mesh/findings/findings.ts'
import { fracture } from '../../mesh/fracture/analyse.ts'
import { type Loaded, load } from '../../mesh/load.ts'
import { parseLoads } from '../../mesh/loads.ts'
import type { Mesh } from '../../mesh/model.ts'
import { nonlinear } from '../../mesh/nonlinear/nonlinear.ts'
import { page } from '../../mesh/report/page.ts'
import { analyseStatic } from '../../mesh/static/analyse.ts'
import { meshOfOneLoop, meshOfSize } from '../../test/meshes-of-size.ts'

/** One process of bench/mesh.ts: `size <elements>`, `loop <states>` or `app <folder of an assembly>`. */
const [kind = '', given = ''] = process.argv.slice(2)
/** Milliseconds of processor time of this thread: what else the machine does is not in it. */
const times: Record<string, number> = {}
function timed<Answer>(name: string, work: () => Answer): Answer {
  const began = process.threadCpuUsage()
  const answer = work()
  const { user, system } = process.threadCpuUsage(began)
  times[name] = (user + system) / 1000
  return answer
}

/** What comes, and how long things take, as somebody would write it down for an app. */
const ratesFor = ({ nodes }: Mesh) => ({
  version: 1,
  arrivals: Object.fromEntries(
    nodes.flatMap(({ kind: of, path }) => (of === 'bus' ? [[path, { 'order.0': 20, 'order.1': 5 }]] : [])),
  ),
  service: Object.fromEntries(
    nodes.flatMap(({ kind: of, path }) => (of === 'function' ? [[path, { mean: 0.08, batch: 2 }]] : [])),
  ),
})

function meshOfApp(): Loaded {
  const mesh = timed('read', () => meshOf(readAssembly(given)))
  return timed('load', () => load(mesh, parseLoads('rates.yaml', ratesFor(mesh), mesh)))
}

function generated(): Loaded {
  const { mesh, loads } = kind === 'loop' ? meshOfOneLoop(Number(given)) : meshOfSize(Number(given))
  return timed('load', () => load(mesh, loads))
}

const loaded = kind === 'app' ? meshOfApp() : generated()
// the whole first, in a process that has compiled nothing yet
const report = timed('comprehensive', () => comprehensive(loaded))
timed('page', () => page(loaded.mesh, report))
if (kind !== 'app') {
  timed('static', () => analyseStatic(loaded))
  timed('findings', () => findingsOf(loaded))
  timed('nonlinear', () => nonlinear(loaded))
  timed('dynamic', () => dynamic(loaded, { shape: 'ramp' }))
  timed('fracture', () => fracture(loaded))
}
const { mesh, states } = loaded
console.log(
  JSON.stringify({
    nodes: mesh.nodes.length,
    elements: mesh.elements.length,
    states: states.length,
    times,
    megabytes: process.resourceUsage().maxRSS / 1024,
  }),
)
