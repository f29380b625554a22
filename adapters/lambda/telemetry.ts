type Unit = 'Count' | 'Milliseconds'

/** What one invocation tells: numbers that become metrics, and whatever helps to understand them. */
export type Line = {
  function: string
  /** EMF dimensions beside the stage, such as the subscriber */
  dimensions?: Readonly<Record<string, string>>
  metrics: Readonly<Record<string, number>>
  /** anything else worth reading; no personal data, no bodies, no secrets */
  detail?: Readonly<Record<string, unknown>>
  level?: 'INFO' | 'WARN' | 'ERROR'
}

/**
 * One line per invocation, log and metrics in one: CloudWatch's embedded metric format.
 * `emit` writes it; default stdout. The stage and the request id come from the environment and the context.
 */
export function tell(line: Line, context: { awsRequestId?: string; stage: string; now: number }): void {
  const dimensions = { stage: context.stage, ...line.dimensions }
  const unit = (name: string): Unit => (name.endsWith('Ms') ? 'Milliseconds' : 'Count')
  console.log(
    JSON.stringify({
      _aws: {
        Timestamp: context.now,
        CloudWatchMetrics: [
          {
            Namespace: 'Loadpath',
            Dimensions: [Object.keys(dimensions)],
            Metrics: Object.keys(line.metrics).map((name) => ({ Name: name, Unit: unit(name) })),
          },
        ],
      },
      level: line.level ?? 'INFO',
      function: line.function,
      requestId: context.awsRequestId,
      ...dimensions,
      ...line.metrics,
      ...line.detail,
    }),
  )
}
