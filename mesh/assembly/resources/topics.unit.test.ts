import { expect, it } from 'vitest'
import { arnOf, elementIn, elementsIn, meshIn, nodeIn, queue } from '../../../test/mesh-in-template.ts'

const topic = { Type: 'AWS::SNS::Topic' }
const to = (properties: object) => ({
  Type: 'AWS::SNS::Subscription',
  Properties: { TopicArn: { Ref: 'T' }, ...properties },
})

it('a topic pushes to queues for 23 days, and keeps what fails where the subscription says', () => {
  const mesh = meshIn({
    ...{ T: topic, Q: queue, D: queue },
    S: to({ Protocol: 'sqs', Endpoint: arnOf('Q'), RedrivePolicy: { deadLetterTargetArn: arnOf('D') } }),
  })
  const push = elementIn(mesh, 'delivery', 'T', 'Q')
  expect(push).toMatchObject({
    retry: { attempts: 100_015, from: 'sns-retries' },
    maxAge: 23 * 86_400,
    kept: true,
    types: null,
  })
  expect(push.laws).toMatchObject([{ law: 'latency', p50: 0.073 }])
  expect(elementIn(mesh, 'dead-letter', 'T', 'D').of).toBe('delivery')
})

it('a filter by type is a type', () => {
  const of = (FilterPolicy: object) =>
    elementIn(
      meshIn({ T: topic, Q: queue, S: to({ Protocol: 'sqs', Endpoint: arnOf('Q'), FilterPolicy }) }),
      'delivery',
      'T',
      'Q',
    )
  expect(of({ type: ['b', 'a'] })).toMatchObject({ types: ['a', 'b'] })
  expect(of({ type: ['b', 'a'] }).filtered).toBeUndefined()
  // how much of a type has the rest, nobody knows
  expect(of({ type: ['b', 'a'], size: ['l'] })).toMatchObject({ types: ['a', 'b'], filtered: true })
  expect(of({ type: [{ prefix: 'a' }] })).toMatchObject({ types: null, filtered: true })
  expect(of({ size: ['l'] })).toMatchObject({ types: null, filtered: true })
})

it('addresses and people are outside', () => {
  const mesh = meshIn({
    T: {
      ...topic,
      Properties: { FifoTopic: 'true', Subscription: [{ Protocol: 'email', Endpoint: 'a@example.com' }] },
    },
    H: to({
      Protocol: 'https',
      Endpoint: 'https://example.com/x',
      DeliveryPolicy: { healthyRetryPolicy: { numRetries: 9, minDelayTarget: 2 } },
    }),
    P: to({ Protocol: 'sms', Endpoint: '+1' }),
  })
  expect(elementIn(mesh, 'delivery', 'T', 'external/example.com').retry).toMatchObject({
    attempts: 10,
    interval: 2,
    from: 'template',
  })
  expect(elementsIn(mesh, 'delivery').map((element) => element.to)).toEqual([
    'external/email',
    'external/example.com',
    'external/sms',
  ])
  expect(nodeIn(mesh, 'topic', 'T')).toMatchObject({
    settings: { fifo: true },
    laws: [{ rate: 3000, from: 'sns-fifo' }],
  })
})

it('what is said of a subscription with a filter is in the place of what the filter asks', () => {
  const of = (properties: object) =>
    meshIn({
      ...{ T: topic, Q: queue },
      S: {
        ...to({ Protocol: 'sqs', Endpoint: arnOf('Q'), ...properties }),
        Metadata: { mesh: { takes: ['b', 'a'] } },
      },
    })
  const filtered = elementIn(of({ FilterPolicy: { size: ['l'] } }), 'delivery', 'T', 'Q')
  expect(filtered.types).toEqual(['a', 'b'])
  expect(filtered.filtered).toBeUndefined()
  expect(() => of({})).toThrow(
    'Resources.S.Metadata.mesh.takes: a AWS::SNS::Subscription lets everything pass',
  )
})
