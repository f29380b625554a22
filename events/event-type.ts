import type * as z from 'zod'

/** How long an event is kept, in days, by what it is about. */
export const retentionDays = { service: 7, project: 30, ai: 90, audit: 400 } as const
export type Retention = keyof typeof retentionDays

/** An older shape of a type's data: its schema, and how it becomes the next version. */
export type OldVersion = { schema: z.ZodType; upcast: (data: never) => unknown; example: unknown }

export type EventType<Name extends string = string, Schema extends z.ZodType = z.ZodType> = {
  /** `noun.past-tense`, `noun.verb-requested`, or GitHub's own words as `github.<event>[.<action>]` */
  type: Name
  /** one sentence: what has happened when this event exists */
  description: string
  /** `outside`: other systems send it. `ours`: an outsider who sends it is refused as forged. */
  origin: 'outside' | 'ours'
  retention: Retention
  /** the newest version; `older` holds versions 1 … version-1 in order */
  version: number
  schema: Schema
  older: readonly OldVersion[]
  /** what of the data belongs together; decides `partitionkey` when the sender did not */
  partitionkey?: (data: z.infer<Schema>) => string
  /** listed by partition key and sequence, so that somebody may read them back in order; costs an index write each */
  ordered: boolean
  /** dotted paths of personal data: named in the docs; no data at all is ever logged */
  personal: readonly string[]
  /** real data, valid against `schema` */
  example: z.input<Schema>
}

/** `schema` is a function: a cold start makes none of them, the first event of a type makes its own. */
type Declaration<Name extends string, Schema extends z.ZodType> = Omit<
  EventType<Name, Schema>,
  'schema' | 'version' | 'older' | 'personal' | 'ordered'
> & { schema: () => Schema; older?: readonly OldVersion[]; personal?: readonly string[]; ordered?: boolean }

/** Declares an event type. The version is one more than the number of older shapes. */
export function defineEvent<const Name extends string, Schema extends z.ZodType>(
  declaration: Declaration<Name, Schema>,
): EventType<Name, Schema> {
  const older = declaration.older ?? []
  const { personal = [], ordered = false } = declaration
  const schema = once(declaration.schema)
  return {
    ...declaration,
    older,
    personal,
    ordered,
    version: older.length + 1,
    get schema() {
      return schema()
    },
  }
}

/** An older shape of a type, typed by its own schema. */
export function olderVersion<Schema extends z.ZodType>(version: {
  schema: () => Schema
  upcast: (data: z.infer<Schema>) => unknown
  example: z.input<Schema>
}): OldVersion {
  const { upcast, example } = version
  const schema = once(version.schema)
  return {
    upcast,
    example,
    get schema() {
      return schema()
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** The data of an event type, as handlers get it: newest version, parsed. */
export type DataOf<Type extends EventType> = z.infer<Type['schema']>
