import * as z from 'zod'

/** What a stage tells its clients: the parameter `/loadpath/<stage>/config`, as JSON. No secrets. */
export const stageConfig = z.object({
  stage: z.string(),
  region: z.string(),
  account: z.string(),
  /** base address of the HTTP API, without a slash at the end; locally the CLI rewrites it to the endpoint */
  api: z.string(),
  /** the HTTP API's id, from which the local address is made */
  apiId: z.string(),
  inboxBus: z.string(),
  eventsBus: z.string(),
  historyTable: z.string(),
  memoryTable: z.string(),
  ephemeralTable: z.string(),
  bucket: z.string(),
  queuePrefix: z.string(),
  stateMachinePrefix: z.string(),
  notificationTopic: z.string(),
  webhookSecret: z.string(),
  /** name of a function here -> its name in Lambda */
  functions: z.record(z.string(), z.string()),
})
export type StageConfig = z.infer<typeof stageConfig>

export const stageConfigParameter = (stage: string): string => `/loadpath/${stage}/config`
