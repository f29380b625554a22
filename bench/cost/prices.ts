/** List prices in us-east-1, dollars. November 2026. */
export const prices = {
  /** a million events of up to 64 KB put on a custom bus */
  eventBridge: 1.0,
  /** a million requests of up to 64 KB */
  sqs: 0.4,
  /** a million write units of 1 KB, read units of 4 KB, on demand */
  write: 0.625,
  read: 0.125,
  lambdaRequest: 0.2,
  /** a gigabyte-second on arm64 */
  lambdaSecond: 0.0000133334,
  /** a million requests of up to 512 KB to an HTTP API */
  httpApi: 1.0,
  /** a gigabyte of logs taken in */
  logs: 0.5,
  /** a gigabyte kept for a month in a table, and its point-in-time recovery */
  kept: 0.25 + 0.2,
} as const

/** Gigabytes of memory of the functions on an event's way (infra/constructs/house-function.ts). */
export const memoryGb = 0.5

/** Milliseconds that one call to DynamoDB, SQS or S3 takes from a function in its region: our assumption. */
export const callMs = 5

/** Bytes of the line that an invocation writes, and of the three that Lambda adds to it (START, END, REPORT). */
export const logBytes = { record: 1041 + 300, ingest: 1085 + 300, handler: 507 + 300 } as const
