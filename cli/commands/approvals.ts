import { type Command, Option } from 'commander'
import type { Approval } from '../answers.ts'
import type { Cli } from '../context.ts'
import { examples, gather, more, type Paging, paged, plainId } from '../options.ts'
import { fields, localTime, type Paint, state, table } from '../output.ts'

const text = (approval: Approval, p: Paint): string =>
  [
    p.bold(approval.question),
    fields(p, {
      status: state(p, approval.status),
      approval: approval.approval,
      'asked by': `${approval.workflow} ${approval.run}`,
      expires: approval.status === 'pending' ? localTime(approval.expires) : undefined,
      decided: approval.decided && `${localTime(approval.decided)} by ${approval.by}`,
      comment: approval.comment,
    }),
  ].join('\n')

export function approvals(program: Command, cli: Cli): void {
  const group = program
    .command('approvals')
    .description('questions that runs wait on')
    .addHelpText('after', examples('approvals list --status pending'))

  paged(group.command('list'))
    .description('pending ones by their end, then decided ones, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(['pending', 'decided']))
    .addHelpText('after', examples('approvals list --status pending', 'approvals list --all --json'))
    .action(async ({ status, ...paging }: Paging & { status?: string }) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.approvals({ ...at, ...(status && { status }) }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No approvals.'
          : table(
              p,
              ['APPROVAL', 'STATUS', 'EXPIRES', 'QUESTION'],
              items.map((approval) => [
                approval.approval,
                state(p, approval.status),
                localTime(approval.expires),
                approval.question,
              ]),
            ),
      )
      cli.note(more(list))
    })

  const named = (name: string) => group.command(name).argument('<approval>', 'as listed', plainId)

  named('show')
    .description('a question and, if it was given, its answer')
    .addHelpText('after', examples('approvals show 4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11'))
    .action(async (approval: string) => {
      const api = await cli.api()
      cli.show(await api.approval(approval), text)
    })

  const answers = [
    { name: 'approve', decision: 'approved', says: 'the run goes on' },
    { name: 'deny', decision: 'denied', says: 'the run goes the way of a refusal' },
  ] as const
  for (const { name, decision, says } of answers)
    named(name)
      .description(`answer a question: ${says}`)
      .option('--comment <text>', 'kept with the answer')
      .addHelpText(
        'after',
        examples(`approvals ${name} 4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11 --comment "seen on staging"`),
      )
      .action(async (approval: string, options: { comment?: string }) => {
        const api = await cli.api()
        cli.show(await api.decide(approval, { decision, ...options }), text)
      })
}
