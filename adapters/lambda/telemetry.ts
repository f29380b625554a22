type Unit = 'Count' | 'Milliseconds'

/** What one invocation tells: numbers that become metrics, and whatever helps to understand them. */
export type Line = {
  function: string
  /** EMF dimensions beside the stage, such as the subscriber */
  dimensions?: Readonly<Record<string, string>>
  metrics: Readonly<Record<string, number>>
  /** some of the metrics once more, under dimensions of their own beside the stage; each pair of these costs money */
  also?: readonly { dimensions: Readonly<Record<string, string>>; metrics: readonly string[] }[]
  /** anything else worth reading; no personal data, no bodies, no secrets */
  detail?: Readonly<Record<string, unknown>>
  level?: 'INFO' | 'WARN' | 'ERROR'
}

/**
 * One line on stdout, log and metrics in one: CloudWatch's embedded metric format. The stage and the request id come
 * from the environment and the context.
 */
export function tell(line: Line, context: { awsRequestId?: string; stage: string; now: number }): void {
  const { also = [] } = line
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: context.now,
        CloudWatchMetrics: [
          directive(line.dimensions, Object.keys(line.metrics)),
          ...also.map(({ dimensions, metrics }) => directive(dimensions, metrics)),
        ],
      },
      level: line.level ?? 'INFO',
      function: line.function,
      requestId: context.awsRequestId,
      stage: context.stage,
      ...line.dimensions,
      ...Object.assign({}, ...also.map(({ dimensions }) => dimensions)),
      ...line.metrics,
      ...line.detail,
    }),
  )
}

const unitOf = (name: string): Unit => (name.endsWith('Ms') ? 'Milliseconds' : 'Count')

const directive = (dimensions: object = {}, metrics: readonly string[]) => ({
  Namespace: 'Loadpath',
  Dimensions: [['stage', ...Object.keys(dimensions)]],
  Metrics: metrics.map((name) => ({ Name: name, Unit: unitOf(name) })),
})
