import { expect, it } from 'vitest'
import { MeshError } from '../faults.ts'
import { availabilityConstants } from '../fracture/availability.ts'
import { lookupWith } from './constant-values.ts'
import { constants } from './constants.ts'

it('has each name once, with where and when it was read', () => {
  const names = constants.map(({ name }) => name)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
  for (const constant of [...constants, ...availabilityConstants]) {
    expect(constant.name).toMatch(/^[a-z0-9-]+(\/[a-z0-9-]+)?$/)
    expect(constant.dated).toMatch(/^20\d\d-(0[1-9]|1[0-2])$/)
    expect(constant.source).toMatch(/^https:\/\/|^measurements/)
    expect(Number.isFinite(constant.value) && constant.value >= 0).toBe(true)
  }
})

it('has for each region that is named the others too', () => {
  const names = new Set(constants.map(({ name }) => name))
  for (const name of names) expect(names).toContain(name.split('/')[0])
})

it('answers that of the region, else that of all others', () => {
  const constant = lookupWith()
  expect(constant('eventbridge-put-events', 'us-east-1')).toEqual({
    value: 10_000,
    from: 'eventbridge-put-events/us-east-1',
  })
  expect(constant('eventbridge-put-events', 'us-east-2').value).toBe(2400)
  expect(constant('eventbridge-put-events', 'me-central-1').from).toBe('eventbridge-put-events')
  expect(constant('eventbridge-put-events', null).value).toBe(400)
  // of a region that nobody knows the least, which need not be that of most
  expect(constant('apigateway-rate', null)).toMatchObject({ value: 2500 })
  expect(constant('apigateway-rate', 'eu-west-1').value).toBe(10_000)
})

it.each([
  ['apigateway-rate', 2500, ['ap-southeast-7', 'mx-central-1']],
  ['apigateway-burst', 1250, ['ap-southeast-7', 'mx-central-1']],
  ['eventbridge-invocations', 1100, ['ap-east-1', 'ap-northeast-2', 'ap-south-1', 'ca-central-1']],
])('%s is %d in regions that are not as most', (name, value, regions) => {
  for (const region of regions)
    expect(lookupWith()(name, region)).toEqual({ value, from: `${name}/${region}` })
})

it('takes others in their place: of all regions where none is named, of one else', () => {
  const all = lookupWith({ 'eventbridge-put-events': 5 })
  expect(all('eventbridge-put-events', 'us-east-1').value).toBe(5)
  const one = lookupWith({ 'eventbridge-put-events/us-east-1': 7 })
  expect(one('eventbridge-put-events', 'us-east-1').value).toBe(7)
  expect(one('eventbridge-put-events', 'us-west-2').value).toBe(10_000)
})

it('refuses a name that it does not have, and says what is near', () => {
  expect(() => lookupWith({ 'lambda-concurency': 5 })).toThrow(MeshError)
  expect(() => lookupWith({ 'lambda-concurency': 5 })).toThrow(
    /lambda-concurency: .*near it: lambda-concurrency/,
  )
})
