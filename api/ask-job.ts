import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import { canonicalJson, uuid5 } from '../core/identity.ts'
import { type Job, jobOf, jobRecord } from '../core/job/job.ts'
import type { Commit, MemoryWrite } from '../core/ports.ts'
import type { ApiDeps } from './context.ts'

type Made = { job: Job; write: MemoryWrite; outbox: Commit['outbox'] }

/**
 * Asks for a job. `once`: the sender's idempotency key; the same key and kind is the same job, which is answered as it is
 * by now. `make`: the job of an id, and the event that asks for its run.
 * @throws Failure Conflict when the key was used for another request, and whatever `make` throws
 */
export async function askJob(
  { memory, newId }: Pick<ApiDeps, 'memory' | 'newId'>,
  { project, kind, once }: { project: string; kind: Job['kind']; once: string | undefined },
  make: (id: string) => Made,
): Promise<Job> {
  const id = once === undefined ? newId() : uuid5([project, kind, once].join('\n'))
  const made = make(id)
  const verdict = await memory.commit({ writes: [made.write], outbox: made.outbox })
  if (verdict === 'committed') return made.job
  const before = jobOf(await memory.get(jobRecord(project, id)))
  if (before === undefined) throw new Failure('Busy', 'the job is being asked for just now: try again')
  if (wantedOf(before) !== wantedOf(made.job))
    throw new Failure('Conflict', `the idempotency key ${once} was used for another request: use a new one`)
  return before
}

/** What was asked for. Subscribers that came or went since then make no other request of it. */
function wantedOf({ subscriber, rate, selection }: Job): string {
  const { subscribers: _, ...named } = z.looseObject({ subscribers: z.unknown().optional() }).parse(selection)
  return canonicalJson({ subscriber, rate, selection: named })
}
