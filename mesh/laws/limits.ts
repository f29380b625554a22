import type { Law } from '../model.ts'

/** What can be compared with what is asked of it. */
export type Limiting = Extract<Law, { law: 'servers' | 'tokens' }>
export type Shared = Limiting & { shared: string }

export const isLimit = (law: Law): law is Limiting => law.law === 'servers' || law.law === 'tokens'

/** Whether others have a part of it. */
export const isShared = (law: Law): law is Shared => isLimit(law) && law.shared !== undefined

export const unitOf = (law: Law): string => (law.law === 'tokens' ? law.unit : 'servers')

/** Of a limit that is shared, the same for all who share it: several units may go by one name. */
export const poolOf = (law: Shared): string => `${law.shared} ${unitOf(law)}`
