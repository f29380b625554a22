import * as z from 'zod'
import type { NodeKind } from './model.ts'

/** What a part of a system is there for, and the kinds of nodes that it is made of. */
export const roles = {
  routing: ['bus', 'rule', 'queue', 'topic', 'stream', 'pipe', 'api', 'schedule'],
  memory: ['table', 'bucket'],
  models: ['external'],
  servers: ['service'],
  execution: ['function', 'workflow', 'task'],
} as const satisfies Record<string, readonly NodeKind[]>

export const role = z.enum(['routing', 'memory', 'models', 'servers', 'execution'])
export type Role = z.output<typeof role>
