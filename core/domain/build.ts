import * as z from 'zod'
import { type BuildStatus, buildStatus, buildStatusChanged } from '../../events/build.status-changed.ts'
import type { DataOf } from '../../events/event-type.ts'
import { Failure } from '../errors.ts'
import type { Change } from '../event/handler.ts'
import { boundedKey, canonicalJson } from '../identity.ts'
import type { MemoryRecord, RecordKey } from '../ports.ts'

/**
 * The aggregate `build`: how the builds and tests of a branch stand. Events come late, twice and in any order, so
 * the state is nothing but the set of the newest facts: one for each source (a workflow, an app's checks, a test
 * suite) and commit. Which commit is the newest and how it stands is read from them, never remembered. What is
 * forgotten is a matter of that set too: all up to a horizon (docs/decisions/0021-what-a-branch-forgets.md).
 */
const fact = z.object({
  source: z.enum(['workflow', 'checks', 'tests']),
  name: z.string(),
  status: buildStatus,
  /** GitHub's word; null while it runs, and for tests */
  conclusion: z.string().nullable(),
  tests: z.object({ passed: z.number(), failed: z.number(), skipped: z.number() }).optional(),
  /** when it was asked for; of tests, when they were done. ISO 8601, UTC, milliseconds */
  created: z.string(),
  /** [id of run or suite, attempt, stage, when]: tells which of two that were asked for at one time is the newer */
  order: z.tuple([z.number(), z.number(), z.number(), z.string()]),
})
type Fact = z.infer<typeof fact>

const build = z.object({
  repository: z.string(),
  branch: z.string(),
  /** [created, commit]: facts up to here are forgotten, and not taken in again */
  horizon: z.tuple([z.string(), z.string()]).optional(),
  /** newest first */
  commits: z.array(z.object({ commit: z.string(), facts: z.array(fact) })),
})
export type Build = z.infer<typeof build>
type Commit = Build['commits'][number]
type Horizon = NonNullable<Build['horizon']>

/** The oldest facts are forgotten beyond either of the first two, so that the record stays far below 400 KB. */
export const limits = { commits: 20, facts: 800, factsOfCommit: 400 } as const

/** One fact, and what it is about. */
export type Observation = { repository: string; branch: string; commit: string; fact: Fact }

export const buildRecord = (project: string, repository: string, branch: string): RecordKey => ({
  project,
  kind: 'build',
  name: boundedKey(`${repository}/${branch}`),
})

/** @throws ZodError when the record was written by something else */
export const buildOf = (record: MemoryRecord | undefined): Build | undefined =>
  record && build.parse(record.value)

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

/**
 * Facts that are equally new (which GitHub does not send) are told apart by their text, so that order never matters. The
 * time comes first: what a newer fact took the place of lies behind the horizon before that does.
 */
function isNewer(one: Fact, other: Fact): boolean {
  if (one.created !== other.created) return one.created > other.created
  for (const [index, value] of one.order.entries()) {
    const against = other.order[index] ?? ''
    if (value !== against) return value > against
  }
  return canonicalJson(one) > canonicalJson(other)
}

const sameSource = (one: Fact, other: Fact): boolean => one.source === other.source && one.name === other.name

function withFact(facts: readonly Fact[], added: Fact): Fact[] {
  const known = facts.find((other) => sameSource(other, added))
  const newer = known !== undefined && !isNewer(added, known) ? known : added
  return [...facts.filter((other) => !sameSource(other, added)), newer].sort(
    (a, b) => byText(a.source, b.source) || byText(a.name, b.name),
  )
}

/**
 * When a commit came to the branch, near enough: GitHub asks for a branch's builds as its head moves, and repeats
 * keep that time. Tests tell when they were done, which goes only for commits that nothing is known of but tests.
 */
function arrived({ facts }: Commit): string {
  const builds = facts.filter(({ source }) => source !== 'tests')
  const times = (builds.length > 0 ? builds : facts).map(({ created }) => created)
  return times.sort().at(-1) ?? ''
}

const compared = (a: Horizon, b: Horizon): number => byText(a[0], b[0]) || byText(a[1], b[1])

/** The least horizon beyond which there are no more commits and facts than are kept; undefined: all may stay. */
function horizonOf(commits: readonly Commit[]): Horizon | undefined {
  const newestFirst = commits
    .flatMap(({ commit, facts }) => facts.map(({ created }): Horizon => [created, commit]))
    .sort((a, b) => compared(b, a))
  const seen = new Set<string>()
  return newestFirst.find(([, commit], index) => {
    seen.add(commit)
    return seen.size > limits.commits || index >= limits.facts
  })
}

function beyond(commits: readonly Commit[], horizon: Horizon): Commit[] {
  return commits.flatMap(({ commit, facts }) => {
    const kept = facts.filter(({ created }) => compared([created, commit], horizon) > 0)
    return kept.length === 0 ? [] : [{ commit, facts: kept }]
  })
}

/** @throws Failure Invalid when a commit has more sources than anybody can mean */
export function evolve(state: Build | undefined, { repository, branch, commit, fact }: Observation): Build {
  const { commits, horizon } = state ?? { commits: [] }
  if (state && horizon && compared([fact.created, commit], horizon) <= 0) return state
  const known = commits.find((other) => other.commit === commit)
  const facts = withFact(known?.facts ?? [], fact)
  if (facts.length > limits.factsOfCommit)
    throw new Failure(
      'Invalid',
      `commit ${commit} has more than ${limits.factsOfCommit} builds and test suites`,
    )
  const all = [...commits.filter((other) => other !== known), { commit, facts }]
  const next = horizonOf(all)
  const reached = next ?? horizon
  return {
    repository,
    branch,
    ...(reached && { horizon: reached }),
    commits: (next ? beyond(all, next) : all).sort(
      (a, b) => byText(arrived(b), arrived(a)) || byText(b.commit, a.commit),
    ),
  }
}

const title = ({ source, name }: Fact): string => (source === 'workflow' ? name : `${name} ${source}`)

/** How the branch stands: its newest commit, all of that taken together, and what of it fails. */
export function overall(state: Build | undefined) {
  const newest = state?.commits[0]
  if (newest === undefined) return undefined
  const failing = newest.facts.filter(({ status }) => status === 'failing').map(title)
  const pending = newest.facts.some(({ status }) => status === 'pending')
  const status: BuildStatus = failing.length > 0 ? 'failing' : pending ? 'pending' : 'passing'
  return { commit: newest.commit, status, failing }
}

/** What is known of one commit, for its quality gates; both empty when nothing is. */
export function factsOf(state: Build | undefined, commit: string) {
  const facts = state?.commits.find((other) => other.commit === commit)?.facts ?? []
  return {
    builds: facts
      .filter(({ source }) => source !== 'tests')
      .map((fact) => ({ name: title(fact), status: fact.status, conclusion: fact.conclusion })),
    tests: facts.flatMap(({ name, tests }) => (tests === undefined ? [] : [{ suite: name, ...tests }])),
  }
}

const namesInEvent = 50

/** The data of the build.status-changed events that an observation leads to. */
export function decide(
  observation: Observation,
  state: Build | undefined,
): DataOf<typeof buildStatusChanged>[] {
  const from = overall(state)
  const to = overall(evolve(state, observation))
  if (to === undefined || to.status === from?.status) return []
  const { repository, branch } = observation
  return [
    {
      repository,
      branch,
      commit: to.commit,
      from: from?.status ?? null,
      to: to.status,
      failing: to.failing.slice(0, namesInEvent),
    },
  ]
}

/** What an observation changes in memory, with its event; undefined when it is nothing new. */
export function track(
  project: string,
  observation: Observation,
  record: MemoryRecord | undefined,
): Change<typeof buildStatusChanged> | undefined {
  const state = buildOf(record)
  const next = evolve(state, observation)
  if (canonicalJson(next) === canonicalJson(state)) return undefined
  const version = (record?.version ?? 0) + 1
  const { repository, branch } = observation
  const newest = next.commits[0]
  return {
    writes: [
      {
        ...buildRecord(project, repository, branch),
        version,
        value: next,
        place: { list: `builds/${repository}`, order: newest === undefined ? '' : arrived(newest) },
      },
    ],
    emits: decide(observation, state).map((data) => ({ type: buildStatusChanged, data })),
    sequence: version,
  }
}
