import '@hono/zod-openapi'
import * as z from 'zod'

/** How requests say which dead deliveries are meant. */

const shared = {
  subscriber: z.string().max(40).optional().openapi({ description: 'without it: every subscriber' }),
  type: z.string().max(256).optional().openapi({ description: 'of the event' }),
  reason: z
    .string()
    .min(1)
    .max(300)
    .optional()
    .openapi({ description: 'text that it holds, or `/a regular expression/`' }),
  since: z.iso.datetime().optional().openapi({ description: 'died at or after' }),
  until: z.iso.datetime().optional().openapi({ description: 'died at or before' }),
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
