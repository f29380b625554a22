/** A table or an index: its partition key and, where there is one, its sort key. All keys are strings. */
export type Keys = { pk: string; sk?: string }

export type TableDescription = {
  keys: Keys
  /** global secondary indexes, all sparse: only items that carry both attributes are in one */
  indexes: Readonly<Record<string, Keys & { projection: 'KEYS_ONLY' }>>
  /** the attribute that says when an item expires, in seconds since 1970 */
  ttl: string
  /** what wakes the relay needs no more than keys, and must not carry tokens or hashes about */
  stream?: 'KEYS_ONLY'
  /** whether what is lost here could not be made again */
  pointInTimeRecovery: boolean
}

/** The three tables as plain data: infra deploys them, tests create them on the endpoint. */
export const tables = {
  history: {
    keys: { pk: 'pk', sk: 'sk' },
    indexes: {
      trace: { pk: 'tracepk', sk: 'tracesk', projection: 'KEYS_ONLY' },
      open: { pk: 'openpk', sk: 'opensk', projection: 'KEYS_ONLY' },
      order: { pk: 'orderpk', sk: 'ordersk', projection: 'KEYS_ONLY' },
    },
    ttl: 'ttl',
    pointInTimeRecovery: true,
  },
  memory: {
    keys: { pk: 'pk', sk: 'sk' },
    indexes: { list: { pk: 'listpk', sk: 'listsk', projection: 'KEYS_ONLY' } },
    ttl: 'ttl',
    stream: 'KEYS_ONLY',
    pointInTimeRecovery: true,
  },
  ephemeral: { keys: { pk: 'pk' }, indexes: {}, ttl: 'ttl', pointInTimeRecovery: false },
} as const satisfies Record<string, TableDescription>

export type TableName = keyof typeof tables
