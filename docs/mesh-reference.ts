import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findingConstants } from '../mesh/findings/constants.ts'
import { rules } from '../mesh/findings/findings.ts'
import { availabilityConstants } from '../mesh/fracture/availability.ts'
import { type Constant, constants } from '../mesh/laws/constants.ts'

/** docs/mesh-reference.md: what the mesh looks for, and every number of AWS that it holds things against. */
export const meshReference = (): string => `<!-- derived from mesh/ by npm run docs -->
# What the mesh looks for, and the numbers it knows

[mesh.md](mesh.md) says how to use them.

## Findings

Each is a file of its name in \`mesh/findings/\`. High: messages are lost, or their loss is hidden; medium: they come late, twice or dear; low: it may come to that.

${rows(['rule', 'severity', 'why'], Object.keys(rules).map(ruleRow))}

## Limits and defaults of AWS

A date of 2026-11 or later: the source was read then. An earlier one: as it was known then, and nobody has opened the address since. Each may be given anew under \`constants\` in the file of rates, by its name; a name with a region behind it is of that region, and the name alone of all.

${numbers(constants)}

## Where findings draw their lines

${numbers(findingConstants)}

## What services are promised to be available

${numbers(availabilityConstants)}
`

function ruleRow(rule: string): string[] {
  const code = readFileSync(join(import.meta.dirname, `../mesh/findings/${rule}.ts`), 'utf8')
  const [, comment] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\nexport const \w+: Rule/.exec(code) ?? []
  if (comment === undefined)
    throw new Error(`mesh/findings/${rule}.ts: the rule has no comment that says why`)
  const severities = ['high', 'medium', 'low'].filter((severity) => code.includes(`'${severity}'`))
  return [`\`${rule}\``, severities.join(', '), comment.replaceAll(/\s+\*?\s*/g, ' ').trim()]
}

const numbers = (known: readonly Constant[]): string =>
  rows(
    ['name', 'value', 'unit', 'is', 'dated', 'source'],
    known.map(({ name, value, unit, says, dated, source }) => [
      `\`${name}\``,
      String(value),
      unit,
      says,
      dated,
      source.startsWith('https://') && !source.includes(' ') ? `<${source}>` : source,
    ]),
  )

const rows = (heading: string[], body: string[][]): string =>
  [heading, heading.map(() => '---'), ...body]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')
