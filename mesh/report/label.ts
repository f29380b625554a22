const longest = 19

/** A name on at most two lines, parted where it has seams; what does not fit is cut. */
export function label(name: string): string[] {
  const pieces = name.match(/[^-/._ ]+[-/._ ]*|[-/._ ]+/g)?.flatMap(seams) ?? [name]
  const lines = ['']
  for (const piece of pieces) {
    const line = lines.at(-1) ?? ''
    if (line === '' || (line + piece).trimEnd().length <= longest) lines[lines.length - 1] = line + piece
    else lines.push(piece)
  }
  const [first = '', ...others] = lines.map((line) => line.trim())
  const second = others.join('')
  return [cut(first), ...(second === '' ? [] : [cut(second)])]
}

/** Of a long piece, where its capitals are. */
const seams = (piece: string): string[] =>
  piece.length <= longest ? [piece] : piece.split(/(?<=[a-z0-9])(?=[A-Z])/)

const cut = (line: string): string => (line.length > longest ? `${line.slice(0, longest - 1)}…` : line)
