// Longer than 300 lines: every expression of one definition, which share the sample states.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { approvalTask } from '../../core/domain/ask-for-approval.ts'
import { type GateOutcome, gate, facts as gateFacts } from '../../core/domain/gates.ts'
import { emitFrame, workflowInput } from '../../core/frame.ts'
import { qualityGateEvaluated } from '../../events/quality-gate.evaluated.ts'
import { qualityGate } from '../../events/repository.updated.ts'
import { rollbackDecided } from '../../events/rollback.decided.ts'
import { definitionOf, evaluate, expressionsOf, type Scope, statesOf, textOf } from './definition.ts'

const definition = definitionOf('test-and-validate')
const states = new Map(statesOf(definition))

const input = workflowInput.parse({
  workflow: 'test-and-validate',
  run: 'b1946ac92492d2347c6235b4d2611184',
  attempt: 1,
  replay: '',
  event: {
    project: 'main',
    source: 'https://github.com/octo/hello',
    id: 'd1',
    type: 'github.push',
    partitionkey: 'repository/octo/hello',
    correlationid: 'd1',
    hops: 0,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  },
})
const change = {
  repository: 'octo/hello',
  branch: 'main',
  commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
  proposed: false,
  risk: { score: 70, reasons: ['many files (+15)'] },
}
const repository = {
  declared: true,
  deployBranch: 'main',
  gates: [{ gate: 'branch' }, { gate: 'build', onFailure: 'rollback' }],
}
const build = { builds: [{ name: 'CI', status: 'passing' }], tests: [] }
const collected = [change, repository, build]

const result = (
  outcome: GateOutcome['outcome'],
  onFailure: GateOutcome['onFailure'] = 'hold',
): GateOutcome => ({
  gate: 'build',
  outcome,
  onFailure,
  reason: 'because',
})
const asked: GateOutcome = {
  ...result('needs-approval', 'rollback'),
  gate: 'approval',
  approval: { question: 'Deploy?', expiresInMinutes: 60 },
}
const frameOf = (of: Partial<typeof input>) =>
  evaluate(expressionAt('EvaluateGates', 'Assign.frame'), {
    context: { Execution: { Input: { ...input, ...of } } },
  })

function expressionAt(state: string, path: string): string {
  const found = expressionsOf(states.get(state) ?? { Type: '' }).find(([at]) => at === path)
  if (found === undefined) throw new Error(`${state} has no expression at ${path}`)
  return found[1]
}

const failure = { Error: 'NotFound', Cause: '{"errorType":"NotFound","errorMessage":"no such event"}' }
const context = {
  Execution: { Input: input },
  State: { Name: 'PublishEvaluation' },
  Task: { Token: 'token' },
  Map: { Item: { Value: gate.parse({ gate: 'branch' }), Index: 0 } },
}
const frame = await frameOf({})
const variables = { change, frame, decision: 'rollback', gates: [result('failed', 'rollback'), asked] }
const item = { gate: asked, index: 0 }

/** For each state what its expressions may see, at least once. A state that is missing here is a failing test. */
const scopes: Record<string, Scope> = {
  CollectFacts: { input, errorOutput: failure },
  CollectChange: { input, result: { Payload: change }, errorOutput: failure },
  CollectRepository: { input, result: { Payload: repository }, errorOutput: failure },
  CollectBuild: { input, result: { Payload: build }, errorOutput: failure },
  ChangeNotCollected: { input: failure },
  RepositoryNotCollected: { input: failure },
  BuildNotCollected: { input: failure },
  EvaluateGates: { input: collected, result: [result('passed')], errorOutput: failure, context },
  EvaluateGate: { input: {}, result: { Payload: result('passed') }, errorOutput: failure },
  GateNotEvaluated: { input: failure },
  Decide: { variables },
  AskForApprovals: { result: [result('passed')], errorOutput: failure, context, variables },
  WaitForApproval: {
    input: item,
    result: { decision: 'approved', by: 'user:a' },
    errorOutput: failure,
    context,
  },
  ApprovalUnanswered: { input: item },
  ApprovalNotAsked: { input: failure },
  PublishEvaluation: { input: [], errorOutput: failure, context, variables },
  IsRollback: { variables },
  PublishRollback: { input: [], errorOutput: failure, context, variables },
  Failed: { input: { ...failure, during: 'evaluating gates' } },
}

test.each(
  [...states].flatMap(([name, state]) =>
    expressionsOf(state).map(([path, expression]) => ({ name, path, expression })),
  ),
)('$name $path can be evaluated', async ({ name, expression }) => {
  expect(scopes).toHaveProperty([name])
  await expect(evaluate(expression, scopes[name] ?? {})).resolves.toBeDefined()
})

test('the placeholders are those that the stack fills in', () => {
  expect([...new Set(textOf('test-and-validate').match(/(?<=\$\{)\w+(?=\})/g))].sort()).toEqual([
    'CollectFactsFunctionArn',
    'EvaluateGateFunctionArn',
    'RecordQueueUrl',
    'RequestApprovalFunctionArn',
  ])
})

describe('what is handed to the functions fits their schemas', () => {
  test('evaluate-gate', async () => {
    const at = (path: string) => evaluate(expressionAt('EvaluateGates', path), { input: collected, context })
    expect(gate.safeParse(await at('ItemSelector.gate')).error).toBeUndefined()
    expect(gateFacts.parse(await at('ItemSelector.facts'))).toEqual({ change, repository, build })
    expect(await at('Items')).toEqual(repository.gates)
  })

  test('request-approval', async () => {
    const payload = async (name: string) =>
      evaluate(expressionAt('WaitForApproval', `Arguments.Payload.${name}`), { input: item, context })
    const handed = {
      token: await payload('token'),
      step: await payload('step'),
      approval: await payload('approval'),
      input: await payload('input'),
    }
    expect(approvalTask.parse(handed)).toEqual({
      token: 'token',
      step: 'WaitForApproval#0',
      approval: asked.approval,
      input,
    })
  })
})

describe('the decision', () => {
  /** Walks the rules of Decide, in order. */
  async function decide(gates: GateOutcome[]): Promise<unknown> {
    const decideState = states.get('Decide')
    for (const [index, rule] of (decideState?.Choices ?? []).entries())
      if (await evaluate(expressionAt('Decide', `Choices.${index}.Condition`), { variables: { gates } }))
        return 'Assign' in rule ? rule.Assign : rule.Next
    return decideState?.Assign
  }

  const anyGates = fc.array(
    fc
      .tuple(
        fc.constantFrom('passed' as const, 'failed' as const, 'needs-approval' as const, 'waived' as const),
        fc.constantFrom('hold' as const, 'rollback' as const),
      )
      .map(([outcome, onFailure]) => result(outcome, onFailure)),
    { minLength: 1, maxLength: 6 },
  )

  test('is rollback, else hold, else to ask, else deploy', async () => {
    await fc.assert(
      fc.asyncProperty(anyGates, async (gates) => {
        const failed = gates.filter(({ outcome }) => outcome === 'failed')
        const expected = failed.some(({ onFailure }) => onFailure === 'rollback')
          ? { decision: 'rollback' }
          : failed.length > 0
            ? { decision: 'hold' }
            : gates.some(({ outcome }) => outcome === 'needs-approval')
              ? 'AskForApprovals'
              : { decision: 'deploy' }
        expect(await decide(gates)).toEqual(expected)
      }),
    )
  })

  test('needs no second asking: answers take the place of what was asked', async () => {
    const answers = [result('passed')]
    for (const gates of [[asked], [result('passed'), asked], [result('passed'), asked, result('waived')]]) {
      const asking = await evaluate(expressionAt('AskForApprovals', 'Items'), { variables: { gates } })
      expect(asking).toEqual([asked])
      const after = await evaluate(expressionAt('AskForApprovals', 'Assign.gates'), {
        result: answers,
        variables: { gates },
      })
      expect(after).toEqual([...gates.filter((gate) => gate !== asked), ...answers])
    }
  })
})

describe('an answer', () => {
  test.each([
    [{ decision: 'approved', by: 'user:a', comment: 'go' }, 'passed', 'approved by user:a: go'],
    [{ decision: 'denied', by: 'user:a' }, 'failed', 'denied by user:a'],
    [{ decision: 'expired', by: 'system' }, 'failed', 'nobody answered in time'],
  ])('%j', async (answer, outcome, reason) => {
    const at = (path: string) =>
      evaluate(expressionAt('WaitForApproval', path), { input: item, result: answer })
    expect({ outcome: await at('Output.outcome'), reason: await at('Output.reason') }).toEqual({
      outcome,
      reason,
    })
    expect(await at('Output.onFailure')).toBe('rollback')
  })

  test('is waited for longer than any gate may declare', () => {
    const longest = 10_080
    expect(qualityGate().safeParse({ gate: 'approval', expiresInMinutes: longest }).success).toBe(true)
    expect(qualityGate().safeParse({ gate: 'approval', expiresInMinutes: longest + 1 }).success).toBe(false)
    expect(states.get('WaitForApproval')?.TimeoutSeconds).toBeGreaterThan(longest * 60)
    expect(definition.TimeoutSeconds).toBeGreaterThan(Number(states.get('WaitForApproval')?.TimeoutSeconds))
  })
})

describe('what is emitted', () => {
  const emitted = async (state: string, scope: Scope) => {
    const body = await evaluate(expressionAt(state, 'Arguments.MessageBody'), scope)
    return emitFrame.strict().parse(JSON.parse(String(body)))
  }

  test.each(['PublishEvaluation', 'PublishRollback'])('%s goes to the record queue, labelled', (state) => {
    expect(states.get(state)?.Arguments).toMatchObject({
      QueueUrl: `\${RecordQueueUrl}`,
      MessageAttributes: { queue: { DataType: 'String', StringValue: 'record' } },
    })
  })

  test('an evaluation, with what caused it', async () => {
    const { traceparent, source, id, correlationid, hops } = input.event
    const sent = await emitted('PublishEvaluation', { context, variables })
    expect(sent).toMatchObject({
      door: 'emit',
      project: 'main',
      by: 'test-and-validate',
      again: '',
      replay: '',
      cause: { source, id, correlationid, hops, traceparent },
      event: { type: 'quality-gate.evaluated', step: 'PublishEvaluation' },
    })
    const { approval: _, ...gateOfAsked } = asked
    expect(qualityGateEvaluated.schema.strict().parse(sent.event.data)).toEqual({
      repository: 'octo/hello',
      branch: 'main',
      commit: change.commit,
      decision: 'rollback',
      gates: [result('failed', 'rollback'), gateOfAsked],
    })
  })

  test('a single gate is still a list', async () => {
    const sent = await emitted('PublishEvaluation', {
      context,
      variables: { ...variables, gates: [result('passed')] },
    })
    expect(sent.event.data).toMatchObject({ gates: [result('passed')] })
  })

  test('a rollback, with the reasons of the gates that ask for it alone', async () => {
    const gates = [result('failed', 'hold'), { ...result('failed', 'rollback'), gate: 'tests' }]
    const sent = await emitted('PublishRollback', { context, variables: { ...variables, gates } })
    expect(sent.event.type).toBe('rollback.decided')
    expect(rollbackDecided.schema.strict().parse(sent.event.data).reasons).toEqual(['tests: because'])
  })

  test.each([
    [{ attempt: 1, replay: '' }, ''],
    [{ attempt: 2, replay: '' }, 'attempt:2'],
    // what a replay emits keeps its ids, so that nothing after it runs again
    [{ attempt: 1, replay: 'r1' }, ''],
    [{ attempt: 3, replay: 'r1' }, 'attempt:3'],
  ])('only a later attempt means to emit anew: %j', async (of, again) => {
    expect(await frameOf(of)).toMatchObject({ again, replay: of.replay })
  })

  test('an event without traceparent causes a frame without', async () => {
    const { traceparent: _, ...event } = input.event
    expect(await frameOf({ event })).not.toHaveProperty('cause.traceparent')
  })
})

describe('a run that fails', () => {
  test('has the name of what went wrong, and says in words while doing what', async () => {
    const during = await evaluate(expressionAt('CollectFacts', 'Catch.0.Output'), { errorOutput: failure })
    expect(await evaluate(expressionAt('Failed', 'Error'), { input: during })).toBe('NotFound')
    expect(await evaluate(expressionAt('Failed', 'Cause'), { input: during })).toBe(
      'collecting facts: no such event',
    )
  })

  test.each([
    [
      'change: {"errorType":"X","errorMessage":"said \\"no\\" {twice}","trace":[]}',
      'change: said \\"no\\" {twice}',
    ],
    ['{"errorMessage": "Task timed out after 30.00 seconds"}', 'Task timed out after 30.00 seconds'],
    ['The specified queue does not exist.', 'The specified queue does not exist.'],
  ])('keeps of the cause what people read: %s', async (Cause, expected) => {
    const input = { Error: 'X', Cause, during: 'here' }
    expect(await evaluate(expressionAt('Failed', 'Cause'), { input })).toBe(`here: ${expected}`)
  })

  test.each([...states].filter(([, { Type }]) => Type === 'Fail'))('%s needs no cause', async (name) => {
    const input = { Error: 'States.Timeout', during: 'here' }
    expect(await evaluate(expressionAt(name, 'Error'), { input })).toBe('States.Timeout')
    expect(typeof (await evaluate(expressionAt(name, 'Cause'), { input }))).toBe('string')
  })
})
