import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import type { MemoryRecord } from '../ports.ts'
import { decide, declare, declareRepository, evolve, repositoryOf } from './repository.ts'

const command = declareRepository.parse({
  repository: 'octo/hello',
  deployBranch: 'main',
  gates: [{ gate: 'build', onFailure: 'rollback' }, { gate: 'approval' }],
})

describe('declaring a repository', () => {
  it('given none: says all of it, with the defaults of its gates', () => {
    expect(decide(command, undefined)).toEqual([
      {
        repository: 'octo/hello',
        deployBranch: 'main',
        gates: [
          { gate: 'build', onFailure: 'rollback' },
          { gate: 'approval', fromRisk: 0, expiresInMinutes: 1440, onFailure: 'hold' },
        ],
        version: 1,
      },
    ])
  })

  it('given the same: says nothing', () => {
    const state = evolve(undefined, { ...command, version: 4 })
    expect(decide(command, state)).toEqual([])
    expect(decide({ ...command, gates: [...command.gates] }, state)).toEqual([])
  })

  it.each([
    { ...command, deployBranch: 'production' },
    { ...command, gates: [] },
    { ...command, gates: command.gates.toReversed() },
  ])('given another: says the whole anew, one version on', (other) => {
    const state = evolve(undefined, { ...command, version: 4 })
    const events = decide(other, state)
    expect(events).toEqual([{ ...other, version: 5 }])
    expect(events.reduce(evolve, state)).toEqual({ ...other, version: 5 })
  })

  it('changes one record and says so, with the version as sequence', () => {
    const first = declare('main', command, undefined)
    expect(first).toEqual({
      writes: [
        {
          project: 'main',
          kind: 'repository',
          name: 'octo/hello',
          version: 1,
          value: { ...command, version: 1 },
          place: { list: 'repositories', order: 'octo/hello' },
        },
      ],
      emits: [{ type: repositoryUpdated, data: { ...command, version: 1 } }],
      sequence: 1,
    })
    const record: MemoryRecord | undefined = first?.writes[0]
    expect(declare('main', command, record)).toBeUndefined()
    const second = declare('main', { ...command, gates: [] }, record)
    expect(second?.sequence).toBe(2)
    expect(second?.writes[0]?.version).toBe(2)
    expect(repositoryUpdated.schema.parse(second?.emits[0]?.data).gates).toEqual([])
  })

  it('refuses a record that is none', () => {
    expect(() =>
      repositoryOf({ project: 'main', kind: 'repository', name: 'octo/hello', version: 1, value: { a: 1 } }),
    ).toThrow()
  })
})

describe('what is no declaration', () => {
  it.each([
    [{ repository: 'hello' }, 'repository'],
    [{ repository: 'octo/hello/world' }, 'repository'],
    [{ repository: `octo/${'x'.repeat(200)}` }, 'repository'],
    [{ deployBranch: '' }, 'deployBranch'],
    [{ deployBranch: 'a branch' }, 'deployBranch'],
    [{ gates: [{ gate: 'mood' }] }, 'gates.0.gate'],
    [{ gates: [{ gate: 'risk' }] }, 'gates.0.maximum'],
    [{ gates: [{ gate: 'risk', maximum: 101 }] }, 'gates.0.maximum'],
    [{ gates: Array.from({ length: 21 }, () => ({ gate: 'build' })) }, 'gates'],
  ])('%j is refused at %s', (changes, path) => {
    const parsed = declareRepository.safeParse({ ...command, ...changes })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toEqual([path])
  })
})

it.each(['./x', '../x', 'octo/.', 'octo/..'])('%s is no name of a repository', (repository) => {
  expect(declareRepository.safeParse({ repository, deployBranch: 'main' }).success).toBe(false)
  expect(declareRepository.safeParse({ repository: 'octo/.github', deployBranch: 'main' }).success).toBe(true)
})
