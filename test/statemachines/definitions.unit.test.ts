import validate from 'asl-validator'
import { describe, expect, test } from 'vitest'
import { failures } from '../../core/errors.ts'
import { routes } from '../../events/routes.ts'
import { definitionOf, machinesOf, reachableIn, statesOf, textOf, workflows } from './definition.ts'

const terminal = Object.entries(failures)
  .filter(([, failure]) => failure.terminal)
  .map(([code]) => code)

test('there is one definition for each route to a workflow', () => {
  expect(workflows.sort()).toEqual(
    routes
      .filter((route) => route.kind === 'workflow')
      .map((route) => route.subscriber)
      .sort(),
  )
})

describe.each(workflows)('%s', (workflow) => {
  const definition = definitionOf(workflow)
  const tasks = statesOf(definition).filter(([, state]) => state.Type === 'Task')

  test('is valid', () => {
    // a placeholder is no ARN until it is substituted
    expect(validate(definition, { checkArn: false }).errorsText('\n')).toBe('')
  })

  test('says on top what it does, and speaks JSONata alone', () => {
    expect(Object.keys(definition).slice(0, 2)).toEqual(['Comment', 'QueryLanguage'])
    expect(definition.QueryLanguage).toBe('JSONata')
    expect(textOf(workflow)).not.toMatch(/\.\$"|"QueryLanguage": "JSONPath"/)
  })

  test('can come to every state', () => {
    for (const machine of machinesOf(definition))
      expect([...reachableIn(machine)].sort()).toEqual(Object.keys(machine.States).sort())
  })

  test('gives every state a name of its own', () => {
    const names = statesOf(definition).map(([name]) => name)
    expect(names).toEqual([...new Set(names)])
  })

  test('ends by itself', () => {
    expect(definition.TimeoutSeconds).toEqual(expect.any(Number))
  })

  test.each(tasks)('%s ends in time, is tried again with jitter, and is caught', (_, task) => {
    // the local endpoint takes no expression there
    expect(task.TimeoutSeconds).toEqual(expect.any(Number))
    const again = task.Retry?.filter(({ MaxAttempts }) => MaxAttempts > 0) ?? []
    expect(again.map(({ JitterStrategy }) => JitterStrategy)).toEqual(again.map(() => 'FULL'))
    expect(again.at(-1)?.ErrorEquals).toEqual(['States.ALL'])
    expect(task.Catch?.at(-1)?.ErrorEquals).toEqual(['States.ALL'])
  })

  test.each(tasks.filter(([, { Resource }]) => Resource?.includes(':lambda:')))(
    '%s does not try again what is hopeless',
    (_, task) => {
      const [never, ...others] = task.Retry ?? []
      expect(never?.MaxAttempts).toBe(0)
      expect(terminal).toEqual(
        expect.arrayContaining(never?.ErrorEquals.filter((name) => name !== 'States.Timeout') ?? []),
      )
      expect(never?.ErrorEquals).toEqual(expect.arrayContaining(['Invalid', 'NotFound']))
      expect(
        others.flatMap(({ ErrorEquals }) => ErrorEquals).filter((name) => terminal.includes(name)),
      ).toEqual([])
    },
  )

  test('names only errors that exist', () => {
    const named = statesOf(definition)
      .flatMap(([, state]) => [...(state.Retry ?? []), ...(state.Catch ?? [])])
      .flatMap(({ ErrorEquals }) => ErrorEquals)
    const unknown = named.filter((name) => !/^(States|Lambda)\./.test(name) && !(name in failures))
    expect(unknown).toEqual([])
  })

  test('bounds how much of a Map runs at once', () => {
    for (const [, state] of statesOf(definition).filter(([, { Type }]) => Type === 'Map'))
      expect(state.MaxConcurrency).toBeGreaterThan(0)
  })

  test('leaves out what the local endpoint gets wrong', () => {
    const wrong: Record<string, string[]> = {
      Parallel: ['Arguments', 'Assign', 'Output'],
      Succeed: ['Output'],
    }
    const found = statesOf(definition).flatMap(([name, state]) =>
      (wrong[state.Type] ?? []).filter((field) => field in state).map((field) => `${name}.${field}`),
    )
    expect(found).toEqual([])
  })
})
