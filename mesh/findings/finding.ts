import * as z from 'zod'

/** A weakness of a mesh, with what was found and what it should have been. docs/mesh-reference.md lists the rules. */
export const finding = z.object({
  /** the rule's id, which is the name of its file in findings/ */
  rule: z.string(),
  /** high: messages are lost, or their loss is hidden; medium: they come late, twice or dear; low: it may come to that */
  severity: z.enum(['high', 'medium', 'low']),
  /** id of a node or an element, or the name of a limit that several share */
  at: z.string(),
  name: z.string(),
  /** construct path; of an element, that of the node that it comes from */
  path: z.string(),
  source: z.object({ file: z.string(), line: z.int().min(1) }).optional(),
  /** null: there is nothing to measure */
  measured: z.number().nullable(),
  /** null: there is no number that it has to keep to */
  limit: z.number().nullable(),
  unit: z.string(),
  /** one sentence with the numbers */
  says: z.string(),
  /** one sentence: what to change */
  mend: z.string(),
  /** who says what the limit is: the name of a constant, or `template` */
  from: z.string(),
})
export type Finding = z.output<typeof finding>

/** What a rule answers; the rest of the finding follows from the rule and from `at`. */
export type Found = Omit<Finding, 'rule' | 'name' | 'path' | 'source'>

/** Numbers in sentences: at most four digits that count, no trailing zeros. */
export const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)))
