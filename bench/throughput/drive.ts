import { randomUUID } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { deploymentFailed } from '../../events/deployment.failed.ts'

/**
 * Hands batches of fresh events to the handler of a module, one batch after the other as Lambda does, and prints what
 * they took: `{events, cpuMs, wallMs}`. Usage: drive.ts <module> <batch> <seconds>
 */
const [module = '', batch = '10', seconds = '5'] = process.argv.slice(2)
const { handler } = await import(pathToFileURL(module).href)
const size = Number(batch)
const context = { functionName: 'loadpath-bench', functionVersion: '$LATEST', awsRequestId: 'bench' }
console.log = () => undefined
console.warn = () => undefined

/** What EventBridge sends for an event of 1 KB that one subscriber of effect outside takes. */
function message() {
  const id = randomUUID()
  const event = {
    specversion: '1.0',
    id,
    source: '/bench/ci',
    type: deploymentFailed.type,
    time: '2026-01-01T12:00:00.000Z',
    data: { ...deploymentFailed.example, reason: '' },
  }
  const reason = Array.from({ length: 30 }, () => randomUUID()).join(' ')
  event.data.reason = reason.slice(0, 1000 - JSON.stringify(event).length)
  const now = '2026-01-01T12:00:00Z'
  const envelope = { version: '0', id, source: 'ci', account: '1', time: now, region: 'eu-west-1' }
  return JSON.stringify({ ...envelope, resources: [], 'detail-type': event.type, detail: event })
}

const messages = () => ({
  Records: Array.from({ length: size }, (_, n) => ({
    messageId: `m${n}`,
    receiptHandle: `r${n}`,
    body: message(),
    attributes: { ApproximateReceiveCount: '1', SentTimestamp: '1767268800000' },
    messageAttributes: {},
  })),
})

async function run(milliseconds: number) {
  let events = 0
  let cpu = 0
  let wall = 0
  while (wall < milliseconds) {
    // made outside of what is measured
    const batches = Array.from({ length: Math.ceil(1000 / size) }, messages)
    const before = process.cpuUsage()
    const began = performance.now()
    for (const records of batches) {
      const { batchItemFailures } = await handler(records, context)
      if (batchItemFailures.length > 0) throw new Error('not all were taken')
      events += size
    }
    wall += performance.now() - began
    const { user, system } = process.cpuUsage(before)
    cpu += (user + system) / 1000
  }
  return { events, cpuMs: cpu, wallMs: wall }
}

await run(3000)
process.stdout.write(`${JSON.stringify(await run(Number(seconds) * 1000))}\n`)
process.exit(0)
