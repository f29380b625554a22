import * as z from 'zod'
import { buildStatus } from '../../events/build.status-changed.ts'
import type { GateResult } from '../../events/quality-gate.evaluated.ts'
import { changeAnalysis } from '../../events/repository.analyzed.ts'
import { qualityGate } from '../../events/repository.updated.ts'

/** A gate of every repository, that nobody declares: only what is on the deploy branch may go. */
const branchGate = z.object({ gate: z.literal('branch') })

/** A gate as it is evaluated: a declared one, or the one that all have. */
export const gate = z.discriminatedUnion('gate', [branchGate, ...qualityGate().options])
export type Gate = z.infer<typeof gate>

/** How risky a change is, 0 (harmless) to 100, and why. */
export const risk = changeAnalysis().shape.risk.pick({ score: true, reasons: true })
export type Risk = z.infer<typeof risk>

/** What is to be judged. */
export const changeFacts = z.object({
  repository: z.string(),
  branch: z.string(),
  commit: z.string(),
  /** a pull request: whatever its branch is called, its commit is not on the repository's branch of that name */
  proposed: z.boolean(),
  /** absent where the event that asked says nothing of the change's content, and no push of the commit came before */
  risk: risk.optional(),
})
export type ChangeFacts = z.infer<typeof changeFacts>

/** By what it is judged. */
export const repositoryFacts = z.object({
  /** false: nobody declared the repository, and the default gates hold */
  declared: z.boolean(),
  deployBranch: z.string(),
  gates: z.array(gate),
})
export type RepositoryFacts = z.infer<typeof repositoryFacts>

/** How the builds and tests of the commit stand. */
export const buildFacts = z.object({
  builds: z.array(z.object({ name: z.string(), status: buildStatus })),
  tests: z.array(
    z.object({ suite: z.string(), passed: z.number(), failed: z.number(), skipped: z.number() }),
  ),
})
export type BuildFacts = z.infer<typeof buildFacts>

export const facts = z.object({ change: changeFacts, repository: repositoryFacts, build: buildFacts })
export type Facts = z.infer<typeof facts>

/** How a gate came out; with `needs-approval` also what to ask, and for how long. */
export type GateOutcome = GateResult & { approval?: { question: string; expiresInMinutes: number } }

type Verdict = Pick<GateOutcome, 'outcome' | 'reason' | 'approval'> & { unknown?: true }

const passed = (reason: string): Verdict => ({ outcome: 'passed', reason })
const failed = (reason: string): Verdict => ({ outcome: 'failed', reason })
const waived = (reason: string): Verdict => ({ outcome: 'waived', reason })
/** Fails as long as what the gate asks for is not known. */
const unknown = (reason: string): Verdict => ({ outcome: 'failed', reason, unknown: true })

/**
 * Holds a change against one gate. What is not known yet fails, but only holds: a rollback takes back what is
 * known to be bad, and only from the deploy branch, where something was brought that can be taken back.
 */
export function evaluateGate(gate: Gate, facts: Facts): GateOutcome {
  const { unknown, ...verdict } = judge(gate, facts)
  const mayRollBack = gate.gate !== 'branch' && !unknown && isOnDeployBranch(facts)
  return { gate: gate.gate, onFailure: mayRollBack ? gate.onFailure : 'hold', ...verdict }
}

function judge(gate: Gate, facts: Facts): Verdict {
  switch (gate.gate) {
    case 'branch':
      return judgeBranch(facts)
    case 'build':
      return judgeBuild(facts)
    case 'tests':
      return judgeTests(gate, facts)
    case 'risk':
      return judgeRisk(gate, facts)
    case 'approval':
      return judgeApproval(gate, facts)
    default:
      return gate satisfies never
  }
}

const isOnDeployBranch = ({ change, repository }: Facts): boolean =>
  !change.proposed && change.branch === repository.deployBranch

function judgeBranch(facts: Facts): Verdict {
  const { change, repository } = facts
  if (isOnDeployBranch(facts)) return passed(`${change.branch} is the deploy branch`)
  return failed(
    change.proposed
      ? 'a pull request is judged, and deployed once it is merged'
      : `${change.branch} is not the deploy branch, ${repository.deployBranch}`,
  )
}

function judgeBuild({ change, build }: Facts): Verdict {
  const named = (status: string) => build.builds.filter((b) => b.status === status).map((b) => b.name)
  const failing = named('failing')
  const pending = named('pending')
  if (failing.length > 0) return failed(`${list(failing)} ${failing.length === 1 ? 'fails' : 'fail'}`)
  if (build.builds.length === 0) return unknown(`no build of ${short(change.commit)} is known yet`)
  if (pending.length > 0) return unknown(`${list(pending)} still ${pending.length === 1 ? 'runs' : 'run'}`)
  return passed(
    build.builds.length === 1
      ? `${named('passing')} is green`
      : `all ${build.builds.length} builds are green`,
  )
}

function judgeTests(gate: { minimumPassed: number; maximumFailed: number }, { build }: Facts): Verdict {
  const sum = (of: 'passed' | 'failed') => build.tests.reduce((total, suite) => total + suite[of], 0)
  const [green, red] = [sum('passed'), sum('failed')]
  if (red > gate.maximumFailed)
    return failed(`${red} failed, at most ${gate.maximumFailed} may: ${list(suitesWithFailures(build))}`)
  // suites report one by one: too few may only mean that not all have reported
  if (green < gate.minimumPassed)
    return unknown(`${green} passed so far, at least ${gate.minimumPassed} must`)
  return passed(`${green} passed, ${red} failed`)
}

const suitesWithFailures = (build: BuildFacts) =>
  build.tests.filter((suite) => suite.failed > 0).map((suite) => suite.suite)

function judgeRisk(gate: { maximum: number }, { change }: Facts): Verdict {
  if (change.risk === undefined)
    return unknown('the risk is not known: no push of this commit to this branch has come in')
  const { score, reasons } = change.risk
  return score > gate.maximum
    ? failed(`risk ${score}, at most ${gate.maximum} may go: ${list(reasons)}`)
    : passed(`risk ${score}, at most ${gate.maximum} may go`)
}

function judgeApproval(gate: { fromRisk: number; expiresInMinutes: number }, facts: Facts): Verdict {
  const { repository, branch, commit, risk } = facts.change
  if (!isOnDeployBranch(facts)) return waived('asked only before something is deployed')
  // a risk that is not known is asked about, as the highest would be
  if (risk !== undefined && risk.score < gate.fromRisk)
    return waived(`risk ${risk.score}, asked from ${gate.fromRisk} on`)
  const told = risk === undefined ? 'Its risk is not known.' : `Risk ${risk.score}.`
  return {
    outcome: 'needs-approval',
    reason: gate.fromRisk === 0 ? 'every deployment is asked about' : `asked from risk ${gate.fromRisk} on`,
    approval: {
      question: `Deploy ${repository} ${short(commit)} to ${branch}? ${told}`,
      expiresInMinutes: gate.expiresInMinutes,
    },
  }
}

const short = (commit: string): string => commit.slice(0, 7)

/** At most five by name, the rest as a number. */
const list = (names: readonly string[]): string =>
  names.length > 5 ? `${names.slice(0, 5).join(', ')} and ${names.length - 5} more` : names.join(', ')
