import type * as z from 'zod'
import { comprehensiveReport } from './comprehensive/report.ts'
import { meshDocument } from './model.ts'
import { ratesDocument } from './rates-document.ts'

/** What programs may hold a file against: what comes out of the mesh, and what it is told. */
export const meshSchemas: readonly {
  name: string
  title: string
  description: string
  schema: z.ZodType
}[] = [
  {
    name: 'mesh',
    title: 'A mesh',
    description:
      'What mesh model --json prints: nodes that hold or handle messages, elements that carry them.',
    schema: meshDocument,
  },
  {
    name: 'rates',
    title: 'Rates of a mesh',
    description:
      'What the template does not say: what comes, how long things take, how often they fail, who sends what.',
    schema: ratesDocument,
  },
  {
    name: 'comprehensive',
    title: 'A comprehensive report',
    description: 'What mesh comprehensive --json prints: all analyses, findings and the score.',
    schema: comprehensiveReport,
  },
]
