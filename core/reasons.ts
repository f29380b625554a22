import { Failure } from './errors.ts'

/** What a failed attempt puts around its reason: how often it was tried has nothing to do with why it failed. */
const tries = /^given up after \d+ attempts: | \(attempt \d+ of \d+\)$/g
const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi
/** Eight or more with a digit among them: `deadbeef` alone may as well be a word. */
const hex = /\b(?:0x)?(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi
/** A value is cut where it is long, and then its last mark is an ellipsis. An apostrophe within a word is no quote. */
const quoted =
  /"(?:[^"\\…]|\\.)*(?:["…]|$)|`[^`…]*(?:[`…]|$)|(?<![\p{L}\p{N}])'[^'…]*(?:'(?![\p{L}\p{N}])|…)/gu
const longest = 300

/**
 * A reason without what differs from one event to the next (numbers, ids, quoted values), so that failures of one
 * cause read the same. At most 300 characters.
 */
export const likeness = (reason: string): string =>
  reason
    .replaceAll(tries, '')
    .replaceAll(quoted, '"…"')
    .replaceAll(uuid, '#')
    .replaceAll(hex, '#')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longest)

const longestPattern = 200
/** Each may run over the whole text for each start of the one before it. */
const mostRepeats = 3

/**
 * What `--reason` means: text that a reason contains, upper or lower case alike, or a regular expression between
 * slashes. One that could take for ever is refused: whoever asks runs it over every reason.
 * @throws Failure Invalid
 */
export function reasonMatcher(wanted: string): (reason: string) => boolean {
  const [, pattern, flags] = /^\/(.+)\/(i?)$/s.exec(wanted) ?? []
  if (pattern === undefined) {
    const text = wanted.toLowerCase()
    return (reason) => reason.toLowerCase().includes(text)
  }
  const fault = faultOf(pattern)
  if (fault !== undefined) throw unfit(wanted, fault)
  try {
    const expression = new RegExp(pattern, `${flags}u`)
    return (reason) => expression.test(reason.slice(0, 1000))
  } catch (error) {
    throw unfit(wanted, error instanceof Error ? error.message : 'a regular expression')
  }
}

const unfit = (wanted: string, expected: string): Failure =>
  new Failure('Invalid', 'the reason is no regular expression that can be used here', {
    faults: [{ path: 'reason', expected, got: wanted.slice(0, 80) }],
  })

/** Why it might take for ever: a repeated group that holds repeats or alternatives, or a reference to what was found. */
function faultOf(pattern: string): string | undefined {
  if (pattern.length > longestPattern) return `at most ${longestPattern} characters between the slashes`
  const plain = pattern.replaceAll(/\\[1-9k]/g, '\\1').replaceAll(/\[(?:[^\]\\]|\\.)*\]/g, 'x')
  if (plain.includes('\\1')) return 'no reference to a group'
  const bare = plain.replaceAll(/\\.|~/g, 'x')
  if ((bare.match(/[*+]|\{\d+,\d*\}/g) ?? []).length > mostRepeats)
    return `at most ${mostRepeats} of * + {n,}`
  return repeatsTwice(bare) ? 'no repeated group with * + { or | in it' : undefined
}

/** Takes the innermost groups away, one by one; what is left of one that may run on is a `~`. */
function repeatsTwice(pattern: string): boolean {
  const [whole, inner = '', repeat = ''] = /\(([^()]*)\)([*+{]?)/.exec(pattern) ?? []
  if (whole === undefined) return false
  const runsOn = /[*+{|~]/.test(inner)
  if (runsOn && repeat !== '') return true
  return repeatsTwice(pattern.replace(whole, () => (runsOn ? '~' : 'x') + repeat))
}
