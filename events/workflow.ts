import * as z from 'zod'

/** What every status of a run tells. */
export const runStatusData = () =>
  z.object({
    workflow: z.string(),
    /** the execution's name, unique per workflow for 90 days */
    run: z.string(),
    arn: z.string(),
    started: z.iso.datetime(),
    ended: z.iso.datetime().optional(),
    error: z.string().optional(),
    cause: z.string().optional(),
  })

export const runKey = (data: { workflow: string; run: string }): string => `run/${data.workflow}/${data.run}`

export const runStatusExample = {
  workflow: 'test-and-validate',
  run: 'b1946ac92492d2347c6235b4d2611184',
  arn: 'arn:aws:states:us-east-1:123456789012:execution:test-and-validate:b1946ac92492d2347c6235b4d2611184',
  started: '2026-01-01T12:00:00.000Z',
}
