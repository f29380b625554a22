import type * as z from 'zod'

/** What somebody gave that cannot be analysed: names the file, the place in it, and how to mend it. */
export class MeshError extends Error {
  override name = 'MeshError'
}

/** `nodes.cpu.service.job: expected …`, one line for each fault, all of them. */
export function faultsOf(where: string, error: z.ZodError): MeshError {
  const lines = error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the document'}: ${message}`,
  )
  return new MeshError(`${where}: ${lines.join('\n  ')}`)
}

/** The value of a JSON text. `where` names the file. */
export function parseJson(where: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MeshError(`${where}: no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}
