import { randomUUID } from 'node:crypto'
import { ApiError } from './client.ts'
import type { Cli } from './context.ts'
import { CommandError } from './faults.ts'
import { pause } from './io.ts'

const tries = 4

/** No answer, or one that may be another the next time; a refusal stays one. */
const mayPass = (error: unknown): error is CommandError =>
  error instanceof CommandError && !(error instanceof ApiError && error.status < 500)

/** Asks for what can be asked for twice, again where it is not answered. */
export async function steadily<T>(cli: Cli, ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await ask()
    } catch (error) {
      const signal = cli.io.interrupted()
      if (!mayPass(error) || attempt === tries || signal.aborted) throw error
      cli.note(`${error.message}\nTrying again`)
      await pause(500 * 2 ** attempt, signal)
    }
}

/** Asks for a job under one key: where the answer was lost, asking again answers the same job and makes no second one. */
export function askOnce<T>(cli: Cli, ask: (key: string) => Promise<T>): Promise<T> {
  const key = randomUUID()
  return steadily(cli, () => ask(key))
}
