/*
 * A reference that stands in a text is a token in it, between characters that nobody writes: so texts with references may
 * be joined, split, compared and parsed as JSON like any other. A token has no colon: it is one part of an ARN.
 */
const [open, middle, close] = ['\uE000', '\uE001', '\uE002']
const token = /\uE000([^\uE001]*)\uE001([^\uE002]*)\uE002/

/** An attribute of a resource; `key` is `<stack>/<logical id>`, `attribute` is `Ref` or what GetAtt names. */
export const reference = (key: string, attribute: string): string =>
  `${open}${key}${middle}${attribute}${close}`

/** What CloudFormation alone knows, such as the account. */
export const pseudo = (name: string): string => reference('', name)

/** What nobody here knows, in words; of no character that JSON would escape, as it may stand in a definition. */
export const unknown = (what: string): string =>
  reference('?', what.replaceAll(/["\\\p{Cc}\uE000-\uE002]/gu, ' '))

export const plain = (text: string): string => text.replaceAll(/[\uE000-\uE002]/g, '')

/** The resource whose attribute a text is, or begins with, and what stands behind it. */
export function leading(text: string): { key: string; attribute: string; rest: string } | undefined {
  const match = token.exec(text)
  const [whole, key = '', attribute = ''] = match ?? []
  if (whole === undefined || match?.index !== 0 || key === '' || key === '?') return undefined
  return { key, attribute, rest: text.slice(whole.length) }
}

export const hasToken = (text: string): boolean => token.test(text)

/** Whether a part of it is not known at all. */
export const hasUnknown = (text: string): boolean => text.includes(`${open}?${middle}`)

/** For people: `${stack/id.Arn}`, `${AWS::Region}`. */
export const readable = (text: string): string =>
  text.replaceAll(new RegExp(token, 'g'), (_, key: string, attribute: string) =>
    key === '' ? `\${AWS::${attribute}}` : key === '?' ? `\${${attribute}}` : `\${${key}.${attribute}}`,
  )

/** `text.split(by)`, but tokens stay whole. */
export function splitOutside(text: string, by: string): string[] {
  if (by === '') return [text]
  const kept: string[] = []
  const hidden = text.replaceAll(new RegExp(token, 'g'), (whole) => `${open}${kept.push(whole) - 1}${close}`)
  return hidden
    .split(by)
    .map((part) => part.replaceAll(/\uE000(\d+)\uE002/g, (_, index: string) => kept[Number(index)] ?? ''))
}

/** Every token's key and attribute. */
export const tokensIn = (text: string): { key: string; attribute: string }[] =>
  [...text.matchAll(new RegExp(token, 'g'))].map(([, key = '', attribute = '']) => ({ key, attribute }))
