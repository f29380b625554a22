import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gateResult } from '../../events/quality-gate.evaluated.ts'
import { evaluateGate, type Facts, facts as factsSchema, type Gate, gate as gateSchema } from './gates.ts'

const facts = (
  over: {
    change?: Partial<Facts['change']>
    repository?: Partial<Facts['repository']>
    build?: Partial<Facts['build']>
  } = {},
): Facts => ({
  change: {
    repository: 'octo/hello',
    branch: 'main',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    proposed: false,
    ...over.change,
  },
  repository: { declared: true, deployBranch: 'main', gates: [], ...over.repository },
  build: { builds: [], tests: [], ...over.build },
})

const risk = (score: number) => ({ score, reasons: [`made up (+${score})`] })
const suite = (passed: number, failed: number, suite = 'unit') => ({ suite, passed, failed, skipped: 0 })
const outcomeOf = (gate: Gate, about: Facts) => {
  const { outcome, onFailure } = evaluateGate(gate, about)
  return `${outcome}/${onFailure}`
}

describe('branch', () => {
  test.each([
    ['the deploy branch passes', {}, 'passed/hold'],
    ['another branch holds', { branch: 'feature' }, 'failed/hold'],
    [
      'a pull request holds, even from a branch named like the deploy branch',
      { proposed: true },
      'failed/hold',
    ],
  ])('%s', (_, change, expected) => {
    expect(outcomeOf({ gate: 'branch' }, facts({ change }))).toBe(expected)
  })
})

describe('build', () => {
  const gate: Gate = { gate: 'build', onFailure: 'rollback' }
  const builds = (...statuses: ('passing' | 'failing' | 'pending')[]) =>
    facts({ build: { builds: statuses.map((status, index) => ({ name: `CI ${index}`, status })) } })

  test.each([
    ['green builds pass', builds('passing', 'passing'), 'passed/rollback'],
    ['one red build fails as declared', builds('passing', 'failing', 'pending'), 'failed/rollback'],
    ['a build that runs only holds', builds('passing', 'pending'), 'failed/hold'],
    ['a commit without builds only holds', builds(), 'failed/hold'],
  ])('%s', (_, about, expected) => {
    expect(outcomeOf(gate, about)).toBe(expected)
  })

  test('off the deploy branch nothing is there to be rolled back', () => {
    const about = facts({
      change: { branch: 'feature' },
      build: { builds: [{ name: 'CI', status: 'failing' }] },
    })
    expect(outcomeOf(gate, about)).toBe('failed/hold')
  })

  test('the reason names what fails, and at most five of them', () => {
    expect(evaluateGate(gate, builds('failing', 'passing')).reason).toBe('CI 0 fails')
    expect(evaluateGate(gate, builds(...Array(7).fill('failing'))).reason).toBe(
      'CI 0, CI 1, CI 2, CI 3, CI 4 and 2 more fail',
    )
    expect(evaluateGate(gate, builds()).reason).toBe('no build of ec26c3e is known yet')
  })
})

describe('tests', () => {
  const gate: Gate = { gate: 'tests', minimumPassed: 10, maximumFailed: 1, onFailure: 'rollback' }
  const tests = (...suites: ReturnType<typeof suite>[]) => facts({ build: { tests: suites } })

  test.each([
    ['suites are taken together', tests(suite(6, 1), suite(4, 0)), 'passed/rollback'],
    ['too many failures fail as declared', tests(suite(6, 1), suite(40, 1)), 'failed/rollback'],
    ['too few passed only holds: others may still report', tests(suite(9, 1)), 'failed/hold'],
    ['nothing reported only holds', tests(), 'failed/hold'],
  ])('%s', (_, about, expected) => {
    expect(outcomeOf(gate, about)).toBe(expected)
  })

  test('the reason counts, and names the suites with failures', () => {
    expect(evaluateGate(gate, tests(suite(1, 2, 'e2e'), suite(9, 0))).reason).toBe(
      '2 failed, at most 1 may: e2e',
    )
  })
})

describe('risk', () => {
  const gate: Gate = { gate: 'risk', maximum: 50, onFailure: 'rollback' }
  test.each([
    ['at the maximum passes', risk(50), 'passed/rollback'],
    ['over it fails as declared', risk(51), 'failed/rollback'],
    ['a risk that is not known holds', undefined, 'failed/hold'],
  ])('%s', (_, known, expected) => {
    const change = known === undefined ? {} : { risk: known }
    expect(outcomeOf(gate, facts({ change }))).toBe(expected)
  })
})

describe('approval', () => {
  const gate: Gate = { gate: 'approval', fromRisk: 60, expiresInMinutes: 30, onFailure: 'rollback' }

  test('is asked from the declared risk on, with the question and its time', () => {
    expect(evaluateGate(gate, facts({ change: { risk: risk(60) } }))).toEqual({
      gate: 'approval',
      outcome: 'needs-approval',
      onFailure: 'rollback',
      reason: 'asked from risk 60 on',
      approval: { question: 'Deploy octo/hello ec26c3e to main? Risk 60.', expiresInMinutes: 30 },
    })
  })

  test('is waived below it', () => {
    expect(outcomeOf(gate, facts({ change: { risk: risk(59) } }))).toBe('waived/rollback')
  })

  test('is asked when the risk is not known, and says so', () => {
    expect(evaluateGate(gate, facts()).approval?.question).toBe(
      'Deploy octo/hello ec26c3e to main? Its risk is not known.',
    )
  })

  test.each([{ branch: 'feature' }, { proposed: true }])('nobody is asked about %j', (change) => {
    expect(outcomeOf(gate, facts({ change: { ...change, risk: risk(99) } }))).toBe('waived/hold')
  })
})

describe('whatever the facts', () => {
  const onFailure = fc.constantFrom('hold' as const, 'rollback' as const)
  const score = fc.integer({ min: 0, max: 100 })
  const count = fc.nat({ max: 50 })
  const anyGate: fc.Arbitrary<Gate> = fc.oneof(
    fc.record({ gate: fc.constant('branch' as const) }),
    fc.record({ gate: fc.constant('build' as const), onFailure }),
    fc.record({ gate: fc.constant('tests' as const), minimumPassed: count, maximumFailed: count, onFailure }),
    fc.record({ gate: fc.constant('risk' as const), maximum: score, onFailure }),
    fc.record({
      gate: fc.constant('approval' as const),
      fromRisk: score,
      expiresInMinutes: fc.integer({ min: 1, max: 10_080 }),
      onFailure,
    }),
  )
  const build = fc.record({ name: fc.string(), status: fc.constantFrom('pending', 'passing', 'failing') })
  const tests = fc.record({ suite: fc.string(), passed: count, failed: count, skipped: count })
  const anyFacts: fc.Arbitrary<Facts> = fc.record({
    change: fc.record(
      {
        repository: fc.string(),
        branch: fc.constantFrom('main', 'feature'),
        commit: fc.string(),
        proposed: fc.boolean(),
        risk: fc.record({ score, reasons: fc.array(fc.string()) }),
      },
      { requiredKeys: ['repository', 'branch', 'commit', 'proposed'] },
    ),
    repository: fc.record({
      declared: fc.boolean(),
      deployBranch: fc.constantFrom('main', 'release'),
      gates: fc.constant([]),
    }),
    build: fc.record({ builds: fc.array(build), tests: fc.array(tests) }),
  })
  const holds = (property: (gate: Gate, facts: Facts) => void) =>
    fc.assert(fc.property(anyGate, anyFacts, property), { numRuns: 500 })
  const onDeployBranch = ({ change, repository }: Facts) =>
    !change.proposed && change.branch === repository.deployBranch

  test('what the generators make is what the workflow passes on', () => {
    holds((gate, about) => {
      expect(gateSchema.parse(gate)).toEqual(gate)
      expect(factsSchema.parse(about)).toEqual(about)
    })
  })

  test('a gate comes out, with a reason, as the event has it', () => {
    holds((gate, about) => {
      const { approval, ...result } = evaluateGate(gate, about)
      expect(gateResult().strict().parse(result).reason).not.toBe('')
      expect(approval !== undefined).toBe(result.outcome === 'needs-approval')
    })
  })

  test('a rollback needs a gate that says so, and a change on the deploy branch', () => {
    holds((gate, about) => {
      if (evaluateGate(gate, about).onFailure === 'hold') return
      expect(onDeployBranch(about) && 'onFailure' in gate && gate.onFailure).toBe('rollback')
    })
  })

  test('only what is on the deploy branch passes the branch gate, and only about that anybody is asked', () => {
    holds((gate, about) => {
      if (onDeployBranch(about)) return
      expect(evaluateGate({ gate: 'branch' }, about).outcome).toBe('failed')
      expect(evaluateGate(gate, about).outcome).not.toBe('needs-approval')
    })
  })

  test('worse facts make no gate pass that failed: a red build, a failed test, a lost analysis', () => {
    holds((gate, about) => {
      if (evaluateGate(gate, about).outcome !== 'failed') return
      const { risk: _, ...change } = about.change
      const worse: Facts = {
        ...about,
        change,
        build: {
          builds: [...about.build.builds, { name: 'CI', status: 'failing' }],
          tests: [...about.build.tests, suite(0, 1)],
        },
      }
      expect(evaluateGate(gate, worse).outcome).toBe('failed')
    })
  })
})
