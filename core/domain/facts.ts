import * as z from 'zod'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import type { Identity } from '../../events/envelope.ts'
import { type DataOf, retentionDays } from '../../events/event-type.ts'
import { githubPullRequestOpened } from '../../events/github.pull-request.opened.ts'
import { githubPullRequestSynchronize } from '../../events/github.pull-request.synchronize.ts'
import { githubPush } from '../../events/github.push.ts'
import { repositoryValidationRequested } from '../../events/repository.validation-requested.ts'
import { Failure } from '../errors.ts'
import { presentDataOf } from '../event/body.ts'
import { newestData } from '../event/versions.ts'
import { boundedKey } from '../identity.ts'
import type { Bodies, History, Memory, RecordKey } from '../ports.ts'
import { after, day } from '../time.ts'
import { analyzePush } from './analyze-push.ts'
import { buildOf, buildRecord, factsOf } from './build.ts'
import { branchName } from './build-observation.ts'
import {
  type BuildFacts,
  buildFacts,
  type ChangeFacts,
  type RepositoryFacts,
  type Risk,
  risk,
} from './gates.ts'
import { repositoryOf, repositoryRecord } from './repository.ts'

export const factName = z.enum(['change', 'repository', 'build'])
export type FactName = z.infer<typeof factName>

export type FactsDeps = {
  history: Pick<History, 'getEvents'>
  memory: Pick<Memory, 'get' | 'commit'>
  bodies: Pick<Bodies, 'get'>
}

/**
 * One of the facts that the gates of a change are held against.
 * @throws Failure NotFound when the event, or its body, is gone; Invalid when it is not about a change of a branch.
 */
export async function collectFact(
  fact: FactName,
  identity: Identity,
  deps: FactsDeps,
): Promise<ChangeFacts | RepositoryFacts | BuildFacts> {
  const loaded = await load(identity, deps)
  const { defaultBranch, ...change } = changeOf(loaded)
  const { project } = identity
  switch (fact) {
    case 'change':
      return withRisk(project, change, loaded.received, deps.memory)
    case 'repository':
      return repositoryFacts(project, change.repository, defaultBranch, deps.memory)
    case 'build': {
      const record = await deps.memory.get(buildRecord(project, change.repository, change.branch))
      return buildFacts.parse(factsOf(buildOf(record), change.commit))
    }
    default:
      return fact satisfies never
  }
}

async function load(identity: Identity, { history, bodies }: FactsDeps) {
  const [stored] = await history.getEvents([identity])
  if (stored === undefined) throw new Failure('NotFound', `no event ${identity.id} from ${identity.source}`)
  const { event } = stored
  return { ...newestData(event, await presentDataOf(event, bodies)), received: event.received }
}

type Change = ChangeFacts & { defaultBranch?: string | undefined }

const heads = 'refs/heads/'

/**
 * What a triggering event is about, with its data in the newest version.
 * @throws Failure Invalid for a type that is about no change, or for a push of something else than a branch.
 */
export function changeOf({ type, data }: { type: string; data: unknown }): Change {
  switch (type) {
    case githubPush.type:
      return ofPush(githubPush.schema.parse(data))
    case githubPullRequestOpened.type:
      return ofPullRequest(githubPullRequestOpened.schema.parse(data))
    case githubPullRequestSynchronize.type:
      return ofPullRequest(githubPullRequestSynchronize.schema.parse(data))
    case buildStatusChanged.type: {
      const { repository, branch, commit } = buildStatusChanged.schema.parse(data)
      return { repository, branch, commit, proposed: false }
    }
    case repositoryValidationRequested.type:
      return { ...repositoryValidationRequested.schema.parse(data), proposed: false }
    default:
      throw new Failure('Invalid', `${type} is not about a change that gates could be held against`)
  }
}

function ofPush(push: DataOf<typeof githubPush>): Change {
  if (!push.ref.startsWith(heads) || push.deleted)
    throw new Failure('Invalid', `${push.ref} is no branch, or was deleted: there is nothing to validate`)
  return {
    repository: push.repository.full_name,
    branch: push.ref.slice(heads.length),
    commit: push.after,
    proposed: false,
    risk: risk.parse(analyzePush(push).risk),
    defaultBranch: push.repository.default_branch,
  }
}

/** A fork's repository; GitHub sends none when the fork was deleted. */
const fork = z.object({ repo: z.object({ full_name: z.string() }).nullish() })

function ofPullRequest({ pull_request, repository }: DataOf<typeof githubPullRequestOpened>): Change {
  const risk = pullRequestRisk(pull_request)
  return {
    repository: repository.full_name,
    branch: branchName(repository.full_name, {
      repository: fork.safeParse(pull_request.head).data?.repo?.full_name,
      branch: pull_request.head.ref,
    }),
    commit: pull_request.head.sha,
    proposed: true,
    ...(risk === undefined ? {} : { risk }),
    defaultBranch: repository.default_branch,
  }
}

type Counts = {
  additions?: number | undefined
  deletions?: number | undefined
  changed_files?: number | undefined
}

/** A pull request says how much it changes, not what: its size is all that there is to go by. */
const sizes = [
  { count: 'files', over: 50, points: 15 },
  { count: 'files', over: 200, points: 15 },
  { count: 'lines', over: 1_000, points: 15 },
  { count: 'lines', over: 5_000, points: 15 },
] as const

/** Undefined where the counts are missing. */
export function pullRequestRisk({ additions, deletions, changed_files: files }: Counts): Risk | undefined {
  if (additions === undefined || deletions === undefined || files === undefined) return undefined
  const counts = { files, lines: additions + deletions }
  const found = sizes.filter(({ count, over }) => counts[count] > over)
  return {
    score: found.reduce((sum, { points }) => sum + points, 0),
    reasons: found.map(({ count, over, points }) => `more than ${over} ${count} changed (+${points})`),
  }
}

/** Milliseconds: as long as the push itself is. */
const riskKept = retentionDays.project * day

/**
 * The risk of a push is told from its own data, and remembered by branch and commit: so somebody who asks for the
 * validation of that commit later, once its builds are through, finds it known. A pull request's is not remembered,
 * because what it proposes is no push of the branch.
 */
async function withRisk(
  project: string,
  change: ChangeFacts,
  received: string,
  memory: FactsDeps['memory'],
): Promise<ChangeFacts> {
  if (change.proposed) return change
  const key = riskRecord(project, change)
  if (change.risk === undefined) {
    const record = await memory.get(key)
    return record === undefined ? change : { ...change, risk: risk.parse(record.value) }
  }
  // a version conflict says that it is remembered already: the first push of a commit says most about it
  const expires = after(received, riskKept)
  await memory.commit({ writes: [{ ...key, version: 1, value: change.risk, expires }], outbox: [] })
  return change
}

export const riskRecord = (
  project: string,
  { repository, branch, commit }: Pick<ChangeFacts, 'repository' | 'branch' | 'commit'>,
): RecordKey => ({ project, kind: 'risk', name: boundedKey(`${repository}/${branch}@${commit}`) })

/** Every repository has the branch gate; one that nobody declared holds until its builds are green. */
async function repositoryFacts(
  project: string,
  repository: string,
  defaultBranch: string | undefined,
  memory: Pick<Memory, 'get'>,
): Promise<RepositoryFacts> {
  const declared = repositoryOf(await memory.get(repositoryRecord(project, repository)))
  return {
    declared: declared !== undefined,
    deployBranch: declared?.deployBranch ?? defaultBranch ?? 'main',
    gates: [{ gate: 'branch' }, ...(declared?.gates ?? [{ gate: 'build', onFailure: 'hold' } as const])],
  }
}
