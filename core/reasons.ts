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
 * cause read the same. `of`: the event that failed, whose id and source may look like anything. At most 300 characters.
 */
export const likeness = (reason: string, { source, id } = { source: '', id: '' }): string =>
  without(without(reason.replaceAll(tries, ''), source), id)
    .replaceAll(quoted, '"…"')
    .replaceAll(uuid, '#')
    .replaceAll(hex, '#')
    .replaceAll(/\d+/g, '#')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, longest)

const isOfAWord = (character = ''): boolean => /[\p{L}\p{N}]/u.test(character)

/** A name that stands for itself: within a longer word it is none. */
function without(reason: string, name: string): string {
  if (name === '') return reason
  const parts = reason.split(name)
  return parts.slice(1).reduce((text, part, index) => {
    const isPart = isOfAWord((parts[index] ?? '').at(-1)) || isOfAWord(part.at(0))
    return `${text}${isPart ? name : '#'}${part}`
  }, parts[0] ?? '')
}

/**
 * What `--reason` means: text that a reason holds, upper or lower case alike; `*` in it stands for any characters. Takes
 * time in proportion to the text, whatever is asked for: whoever asks runs it over every reason.
 */
export function reasonMatcher(wanted: string): (reason: string) => boolean {
  const parts = wanted.toLowerCase().split('*')
  return (reason) => {
    const text = reason.toLowerCase()
    let at = 0
    for (const part of parts) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return true
  }
}
