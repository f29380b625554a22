import * as z from 'zod'
import { defineEvent, olderVersion } from './event-type.ts'
import { repositoryKey, repositoryName } from './github.ts'

const about = () => ({
  repository: repositoryName,
  branch: z.string().min(1).max(255),
  commit: z.string().min(1).max(255),
  suite: z.string().min(1).max(255),
})
const count = () => z.number().int().min(0)
const example = {
  repository: 'Codertocat/Hello-World',
  branch: 'master',
  commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
  suite: 'unit',
}

/** Version 1 had a total and the failures in it; version 2 tells skipped tests from passed ones. */
const version1 = olderVersion({
  schema: () =>
    z
      .object({ ...about(), total: count(), failures: count() })
      .refine((data) => data.failures <= data.total, {
        path: ['failures'],
        error: 'more failures than tests',
      }),
  upcast: ({ total, failures, ...rest }) => ({
    ...rest,
    passed: total - failures,
    failed: failures,
    skipped: 0,
  }),
  example: { ...example, total: 120, failures: 0 },
})

export const testCompleted = defineEvent({
  type: 'test.completed',
  description:
    'A test suite has run on a commit; sent by the CI system that ran it. Of a commit 400 suites and builds are kept: what comes beyond is a dead letter.',
  origin: 'outside',
  retention: 'project',
  schema: () => z.object({ ...about(), passed: count(), failed: count(), skipped: count() }),
  older: [version1],
  partitionkey: (data) => repositoryKey(data.repository),
  example: { ...example, passed: 118, failed: 0, skipped: 2 },
})
