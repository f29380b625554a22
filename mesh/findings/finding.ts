import * as z from 'zod'

/** A weakness of a mesh, with what was found and what it should have been. docs/mesh-reference.md lists the rules. */
export const finding = z.object({
  rule: z.string().describe("the rule's id, which is the name of its file in findings/"),
  severity: z
    .enum(['high', 'medium', 'low'])
    .describe(
      'high: messages are lost, or their loss is hidden; medium: they come late, twice or dear; low: it may come to that',
    ),
  at: z.string().describe('id of a node or an element, or the name of a limit that several share'),
  name: z.string(),
  path: z.string().describe('construct path; of an element, that of the node that it comes from'),
  source: z.object({ file: z.string(), line: z.int().min(1) }).optional(),
  measured: z.number().nullable().describe('null: there is nothing to measure'),
  limit: z.number().nullable().describe('null: there is no number that it has to keep to'),
  unit: z.string(),
  says: z.string().describe('one sentence with the numbers'),
  mend: z.string().describe('one sentence: what to change'),
  from: z.string().describe('who says what the limit is: the name of a constant, or `template`'),
})
export type Finding = z.output<typeof finding>

/** What a rule answers; the rest of the finding follows from the rule and from `at`. */
export type BareFinding = Omit<Finding, 'rule' | 'name' | 'path' | 'source'>

/** Numbers in sentences: at most four digits that count, no trailing zeros. */
export const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
