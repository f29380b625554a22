import { Failure } from './errors.ts'

/** How an id that a path cannot carry begins: its UTF-8 follows, in base64url. */
const encoded = 'base64url:'

/** @throws Failure Malformed */
export function readId(text: string): string {
  if (!text.startsWith(encoded)) return text
  const bytes = Buffer.from(text.slice(encoded.length), 'base64url')
  const id = bytes.toString('utf8')
  if (id === '' || !Buffer.from(id, 'utf8').equals(bytes))
    throw new Failure('Malformed', 'this is no UTF-8 in base64url', {
      faults: [{ path: 'path.id', expected: `${encoded} and UTF-8 in base64url`, got: text.slice(0, 80) }],
    })
  return id
}

/** How a client writes an id into a path; `.` and `..` would be steps in it. */
export const writeId = (id: string): string =>
  /^(?!\.{1,2}$)[A-Za-z0-9\-._~:@]+$/.test(id) && !id.startsWith(encoded)
    ? id
    : `${encoded}${Buffer.from(id, 'utf8').toString('base64url')}`
