import { dynamic } from '../dynamic/dynamic.ts'
import { findingsOf } from '../findings/findings.ts'
import { fracture } from '../fracture/analyse.ts'
import type { Loaded } from '../load.ts'
import { nonlinear } from '../nonlinear/nonlinear.ts'
import { analyseStatic } from '../static/analyse.ts'
import { acceptedOf, settled } from './accepted.ts'
import { type ComprehensiveReport, type EarlierReport, reportVersion } from './report.ts'
import { type Scored, scoreOf } from './score.ts'
import { termsOf } from './terms.ts'
import { trendOf } from './trend.ts'

export type ComprehensiveOptions = {
  /** the part of the time that something works, by node id or kind, in the place of what is promised */
  availability?: Readonly<Record<string, number>>
  seed?: number
  /** how long an outage lasts, seconds; undefined: as the fracture analysis takes it */
  outage?: number | undefined
  /** an earlier report of the same system */
  before?: EarlierReport
}

/** Of each simulation in the surge: its error bars are twice as wide as those of the dynamic analysis by itself. */
const arrivalsOfRun = 5000

/** Every analysis of a mesh under its loads, with a surge to ten times in two minutes, and the score that follows. */
export function comprehensive(
  loaded: Loaded,
  { availability, seed = 1, outage, before }: ComprehensiveOptions = {},
): ComprehensiveReport {
  const acceptances = acceptedOf(loaded)
  const steady = analyseStatic(loaded)
  const all = findingsOf(loaded)
  const { findings, accepted, needless } = settled(all, acceptances)
  const broken = fracture(loaded, { seed, outage, ...(availability && { availability }) })
  const unstable = nonlinear(loaded)
  const surge = dynamic(loaded, { shape: 'ramp', seed, arrivals: arrivalsOfRun })
  const names = new Map(loaded.mesh.nodes.map(({ id, name }) => [id, name]))
  const score = scoreOf(
    termsOf({ steady, broken, unstable }, (id) => names.get(id) ?? id, loaded.targets),
    findings.filter(({ severity }) => severity === 'high').length,
  )
  const { mesh } = loaded
  const report: Omit<ComprehensiveReport, 'trend'> = {
    version: reportVersion,
    mesh: {
      stacks: mesh.stacks.map(({ name }) => name),
      nodes: mesh.nodes.length,
      elements: mesh.elements.length,
      parts: {
        nodes: Object.fromEntries(mesh.nodes.map(({ id, path }) => [id, path])),
        elements: Object.fromEntries(
          mesh.elements.map(({ id, kind, from, to }) => [
            id,
            `${kind} ${names.get(from) ?? from} → ${names.get(to) ?? to}`,
          ]),
        ),
      },
    },
    system_health: healthOf(score),
    score,
    findings,
    accepted,
    needless,
    gaps: [
      ...mesh.unknown.map(({ type, paths }) => `${type} is not modelled: ${paths.join(', ')}`),
      ...mesh.unresolved.map(({ at, reference }) => `${reference} could not be followed, at ${at}`),
    ],
    static: steady,
    dynamic: surge,
    nonlinear: unstable,
    fracture: broken,
  }
  return { ...report, trend: before === undefined ? null : trendOf(before, report) }
}

function healthOf({ terms, score, caps }: Scored): ComprehensiveReport['system_health'] {
  if (terms.some(({ unity }) => unity !== null && unity > 1)) return 'failing'
  if (score === null) return 'unknown'
  return caps.length > 0 || terms.some(({ unity }) => unity !== null && unity > 0.8) ? 'strained' : 'healthy'
}
