import { describe, expect, it } from 'vitest'
import { parseJson, refuseNames } from '../faults.ts'
import { analyseNetwork } from './analyse.ts'
import { parseNetwork } from './network.ts'

const analyse = (value: unknown) => analyseNetwork('net.json', parseNetwork('net.json', value)).nodes
const one = { service: { job: 1 } }

describe('names', () => {
  it('of what every object has are names like others', () => {
    const found = analyse({
      nodes: { constructor: { service: { toString: 1 } }, valueOf: one },
      arrivals: { constructor: { toString: 0.5 } },
    })
    expect(Object.keys(found)).toEqual(['constructor', 'valueOf'])
    expect(Object.entries(found).map(([, classes]) => Object.keys(classes))).toEqual([['toString'], ['job']])
    expect(() => analyse({ nodes: { a: one }, arrivals: { constructor: { job: 1 } } })).toThrow(
      /arrivals.constructor: there is no node constructor; there is a/,
    )
  })

  it('may have any letters', () => {
    const found = analyse({
      nodes: { a: { service: { 'b\nc': 1 } }, 'a\nb': { service: { c: 1 } } },
      arrivals: { a: { 'b\nc': 0.5 }, 'a\nb': { c: 0.25 } },
    })
    expect(found.a?.['b\nc']?.arrivalRate).toBe(0.5)
    expect(found['a\nb']?.c?.arrivalRate).toBe(0.25)
  })

  it.each([
    [
      '{"nodes": {"a": 1, "b": {"x": [{"q": 1}], "q": "a\\":"}, "a": 2}}',
      /net.json: nodes.a: stands here twice/,
    ],
    ['{"nodes": {"__proto__": 1}}', /nodes.__proto__: nothing can have this name/],
  ])('%s', (text, message) => {
    expect(() => refuseNames('net.json', text)).toThrow(message)
  })

  it('stand twice only in one object; a text may begin with a byte order mark', () => {
    const text = '{"a": {"x": "x", "y": [{"x": 1}, {"x": 1}]}, "x": 1}'
    expect(() => refuseNames('net.json', text)).not.toThrow()
    expect(parseJson('net.json', `\uFEFF${text}`)).toMatchObject({ x: 1 })
  })
})

describe('what is refused, and how it is mended', () => {
  const arrivals = { a: { job: 1 } }
  it.each([
    [{ a: { ...one, server: 2 } }, {}, /nodes.a: there is no server here, only servers, service, scv/],
    [{ a: { ...one, servers: 0 } }, {}, /nodes.a.servers: expected servers, 1 or more/],
    [{ a: { ...one, servers: 1e15 } }, {}, /nodes.a.servers: expected at most 1000000 servers/],
    [{ a: { ...one, discipline: 'delay', servers: 2 } }, {}, /nodes.a.servers: a "delay" has a server for/],
    [{ a: { ...one, discipline: 'delay', buffer: 2 } }, {}, /nodes.a.buffer: nobody waits at a "delay"/],
    [{ a: { ...one, discipline: 'loss', buffer: 3 } }, {}, /nodes.a.buffer: a "loss" takes nobody to wait/],
    [{ a: { service: { job: 1e200 } } }, {}, /nodes.a.service.job: expected/],
    [
      { a: one },
      { from: 'a', to: 'a', class: 'jobb' },
      /routes.0.class: .* class jobb: near it: job; or add/,
    ],
    [{ a: one }, { from: 'a', to: 'a', class: 'job', becomes: 'jib' }, /routes.0.becomes: .* near it: job/],
    [{ a: one }, { from: 'a', to: 'b', class: 'job' }, /routes.0.to: there is no node b; near it: a/],
    [{ a: one }, { from: 'a', to: 'a', class: 'job' }, /nothing ever leaves the loop of a/],
    [
      { a: { ...one, buffer: 1 } },
      { from: 'a', to: 'a', class: 'job' },
      /only what finds no place ever leaves the loop of a/,
    ],
    [{ a: one }, { from: 'a', to: 'a', class: 'job', probability: 1 - 1e-10 }, /hardly anything .* leaves/],
  ])('%j %j', (nodes, route, message) => {
    const routes = 'from' in route ? [route] : []
    expect(() => analyse({ nodes, routes, arrivals })).toThrow(message)
  })

  it('nothing but an object', () => {
    expect(() => analyse([])).toThrow(/the document: expected an object of nodes, routes, arrivals/)
  })

  it('places that take too long to count through', () => {
    const nodes = {
      a: { service: { job: { mean: 1e9, scv: 0 }, other: { mean: 0.1, scv: 0 } }, buffer: 1_000_000 },
    }
    expect(() => analyse({ nodes, arrivals: { a: { job: 1e-9, other: 1 } } })).toThrow(
      /nodes.a.buffer: 1000001 places are too many .* give it fewer, or null/,
    )
  })
})
