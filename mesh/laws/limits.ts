import { startsInSync } from '../awaited.ts'
import {
  asynchronousStarts,
  type Law,
  type MeshElement,
  type MeshNode,
  putEvents,
  synchronous,
} from '../model.ts'

/** What can be compared with what is asked of it. */
export type Limiting = Extract<Law, { law: 'servers' | 'tokens' }>
export type Shared = Limiting & { shared: string }

export const isLimit = (law: Law): law is Limiting => law.law === 'servers' || law.law === 'tokens'

/** Whether others have a part of it. */
export const isShared = (law: Law): law is Shared => isLimit(law) && law.shared !== undefined

export const unitOf = (law: Law): string => (law.law === 'tokens' ? law.unit : 'servers')

/**
 * Whether a limit of callers does not count it: what a service hands over and does not wait for, on a bus what AWS itself
 * says of a bucket or a machine, and of a machine a start that is waited for. PutEvents, and what a rule sends to another bus,
 * are of the account.
 */
export function isUncounted(
  element: MeshElement,
  from: MeshNode | undefined,
  to: MeshNode | undefined,
): boolean {
  const { kind, provenance } = element
  if (to?.kind === 'workflow') return startsInSync(element)
  return to?.kind === 'bus'
    ? provenance === 'template' && (from?.kind === 'bucket' || from?.kind === 'workflow')
    : kind === 'delivery'
}

/** Of a limit that is shared, the same for all who share it: several units may go by one name. */
export const poolOf = (law: Shared): string => `${law.shared} ${unitOf(law)}`

/** What is asked of limits: by one message on its way, by one attempt, or by all that come a second. Each number adds up. */
export type Use = {
  attempts: number
  /** invocations or requests: attempts in batches */
  requests: number
  /** seconds of a server, which of all a second is servers busy; null: nobody has said how long one takes */
  busy: number | null
  /** the same once batches are as full as they get while messages wait */
  full: number | null
  /** of the attempts, those that only read */
  reads: number
  /** messages that are delivered for these */
  deliveries: number
  /** of the requests, those that a limit of callers does not count (`isUncounted`) */
  uncounted: number
}

/** The work that a use is to a limit: servers or tokens, in the limit's unit; null: not known. */
export function workOf(law: Exclude<Law, { law: 'latency' }>, use: Use): number | null {
  // of what is shared others have a part that they do not give up before it is all used
  if (law.law !== 'tokens') return isShared(law) ? use.busy : use.full
  switch (law.unit) {
    case 'deliveries':
      return use.deliveries
    case 'reads':
      return use.reads
    case 'writes':
      return use.attempts - use.reads
    case 'messages':
      return use.attempts
    case synchronous:
    case putEvents:
    case asynchronousStarts:
      return use.requests - use.uncounted
    default:
      return use.requests
  }
}
