import '@hono/zod-openapi'
import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import type { Listing } from '../core/ports.ts'

const limitUpTo = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,3}$/, { error: 'a number' })
    .default(String(usual))
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= most, { error: `a number from 1 to ${most}` })
    .openapi({ type: 'integer', minimum: 1, maximum: most, default: usual })

const cursor = z
  .string()
  .max(4096)
  .optional()
  .openapi({ description: '`next` of the answer before; nothing else is a cursor' })

/** The query of every list. */
export const pageQuery = { limit: limitUpTo(100, 50), cursor }

/** The query of a tree, of which one rather wants the whole. */
export const treeQuery = { limit: limitUpTo(500, 200), cursor }

/** The answer of every list: `next` is absent at the end, and may come with few or no items before it. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    next: z.string().optional().openapi({
      description: 'send it as `cursor` to go on; absent at the end. Items may be few or none before it.',
    }),
  })

export const page = <Item>(items: readonly Item[], next: string | undefined) => ({
  items: [...items],
  ...(next === undefined ? {} : { next }),
})

/** A cursor is opaque to others: the list's name and where in it to go on. */
export const cursorOf = (list: string, position: unknown): string =>
  Buffer.from(JSON.stringify([list, position])).toString('base64url')

/** @throws Failure Malformed when it is no cursor of this list */
export function positionOf<Schema extends z.ZodType>(
  list: string,
  schema: Schema,
  cursor: string | undefined,
): z.infer<Schema> | undefined {
  if (cursor === undefined) return undefined
  const outer = z.tuple([z.literal(list), z.unknown()]).safeParse(decoded(cursor))
  const inner = schema.safeParse(outer.data?.[1])
  if (outer.success && inner.success) return inner.data
  throw badCursor(cursor)
}

export const badCursor = (cursor: string): Failure =>
  new Failure('Malformed', 'this cursor is none that this list has answered', {
    faults: [{ path: 'query.cursor', expected: '`next` of the same list', got: cursor.slice(0, 40) }],
  })

function decoded(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    // no JSON: the caller refuses it
    return undefined
  }
}

/** rounds, beyond one through each list, that one call makes before it answers with what it has */
const rounds = 20

const chained = z.tuple([z.number().int().min(0), z.string().optional()])

type Inner<Item> = (query: { cursor: string | undefined; limit: number }) => Promise<Listing<Item>>

/**
 * One list made of several, one after the other, of which only some items are wanted. Inner pages are asked for by what
 * is still to come, so none is cut: nothing is skipped and nothing comes twice. A list that matches little answers early.
 */
export async function chain<Item>(
  name: string,
  lists: readonly Inner<Item>[],
  query: { cursor?: string | undefined; limit: number },
  wanted: (item: Item) => boolean = () => true,
): Promise<{ items: Item[]; next?: string }> {
  const items: Item[] = []
  let [at, inner] = positionOf(name, chained, query.cursor) ?? [0, undefined]
  for (let round = 0; round < rounds + lists.length; round++) {
    const list = lists[at]
    if (list === undefined) return page(items, undefined)
    const listing = await list({ cursor: inner, limit: query.limit - items.length })
    items.push(...listing.items.filter(wanted))
    inner = listing.next
    if (inner === undefined) at += 1
    if (items.length >= query.limit) break
  }
  return page(items, at < lists.length ? cursorOf(name, inner === undefined ? [at] : [at, inner]) : undefined)
}
