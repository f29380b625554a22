import { type Command, InvalidArgumentError } from 'commander'
import type { Selected } from './api.ts'
import { instant, requireWindow } from './options.ts'

/** `<path>=<value>`, once or several times. */
function conditions(text: string, before: Selected['where'] = []): NonNullable<Selected['where']> {
  const [path = '', ...value] = text.split('=')
  if (path === '' || value.length === 0)
    throw new InvalidArgumentError('expected <path>=<value>, such as repository=octo/hello.')
  return [...before, { path, value: value.join('=') }]
}

/** The options that say which dead deliveries are meant. */
export const selecting = (command: Command, now: () => number): Command =>
  command
    .option('--subscriber <name>', 'only of this subscriber')
    .option('--type <type>', 'only of events of this type')
    .option('--reason <text>', 'only those whose reason holds this text; * stands for any characters')
    .option(
      '--since <time>',
      'died at this time or later: ISO 8601, or how long ago (15m, 2h, 7d)',
      instant(now),
    )
    .option('--until <time>', 'died at this time or earlier', instant(now))
    .option(
      '--where <path=value>',
      'only those whose data has this value there; may be given several times',
      conditions,
    )

/** What of a command's options says which are meant. */
export function selected({ subscriber, type, reason, since, until, where }: Selected): Selected {
  requireWindow({ since, until })
  return {
    ...(subscriber === undefined ? {} : { subscriber }),
    ...(type === undefined ? {} : { type }),
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(where === undefined ? {} : { where }),
  }
}
