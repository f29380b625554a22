import '@hono/zod-openapi'
import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import { eventTypes } from '../events/catalogue.ts'
import { type Route, typeName } from '../events/route.ts'
import { routes } from '../events/routes.ts'
import { time } from './shapes.ts'

/** How requests say which dead deliveries are meant. */

const shared = {
  subscriber: z.string().max(40).optional().openapi({ description: 'without it: every subscriber' }),
  type: z.string().max(256).optional().openapi({ description: 'of the event' }),
  reason: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .openapi({ description: 'text that it holds, upper or lower case alike; `*` stands for any characters' }),
  since: time.optional().openapi({ description: 'died at or after' }),
  until: time.optional().openapi({ description: 'died at or before' }),
}

const routed: readonly Route[] = routes
const typeNames = [
  ...new Set([...eventTypes, ...routed.flatMap(({ types }) => types)].map(typeName)),
].toSorted()

/** What a wrong name or a window without end would answer by "none". @throws Failure Invalid */
export function requireSound({
  type,
  since,
  until,
}: { [Name in 'type' | 'since' | 'until']?: string | undefined }): void {
  if (type !== undefined && !typeNames.includes(type))
    throw new Failure('Invalid', `there is no type ${type}`, {
      faults: [{ path: 'type', expected: `one of ${typeNames.join(', ')}`, got: type }],
    })
  if (since !== undefined && until !== undefined && until < since)
    throw new Failure('Invalid', 'the window is empty', {
      faults: [{ path: 'until', expected: `a time after ${since}`, got: until }],
    })
}

const mostConditions = 10

/** `<path>=<value>`; a path of the data has no `=`. */
const condition = z
  .string()
  .max(1024)
  .regex(/^[^=]+=/, { error: 'a condition is `<path>=<value>`' })
  .transform((text) => {
    const [path = '', ...value] = text.split('=')
    return { path, value: value.join('=') }
  })

export const selectionQuery = {
  ...shared,
  where: z
    .union([condition.transform((one) => [one]), z.array(condition).max(mostConditions)])
    .optional()
    .openapi({ type: 'array', items: { type: 'string' }, description: '`<path>=<value>` of the data' }),
}

export const selectionBody = {
  ...shared,
  where: z
    .array(z.object({ path: z.string().min(1).max(256), value: z.string().max(1024) }))
    .max(mostConditions)
    .optional()
    .openapi({ description: 'members of the data (`repository.name`) and what they must be' }),
}

/** Left out, a filter means everything: to act on that has to be said. */
export const everything = z
  .literal(true)
  .optional()
  .openapi({ description: 'without it at least one filter is needed' })

type Meant = { all?: true | undefined } & Readonly<Record<string, unknown>>

/** @throws Failure Invalid when neither a filter nor `all` was given */
export function requireMeant({ all, ...selection }: Meant): void {
  const isFiltered = Object.values(selection).some((part) => part !== undefined && !isEmpty(part))
  if (isFiltered || all === true) return
  throw new Failure('Invalid', 'say which are meant', {
    faults: [
      { path: 'all', expected: `true, or one of ${Object.keys(selectionBody).join(', ')}`, got: 'nothing' },
    ],
  })
}

const isEmpty = (part: unknown): boolean => Array.isArray(part) && part.length === 0
