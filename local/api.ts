import type { z } from 'zod'

/** The HTTP API of the stage that runs here, as far as starting it needs it. */
export type Api = { api: string; apiKey: string }

export type Answer = { status: number; body: unknown }

export async function ask(
  { api, apiKey }: Api,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<Answer> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json')
  return { status: response.status, body: isJson ? JSON.parse(text) : text }
}

/** @throws Error with what was answered instead */
export async function get<Schema extends z.ZodType>(
  api: Api,
  path: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const { status, body } = await ask(api, path)
  const parsed = schema.safeParse(body)
  if (status === 200 && parsed.success) return parsed.data
  throw new Error(`GET ${path} answered ${status}: ${JSON.stringify(body).slice(0, 500)}`)
}
