import type { DataOf } from '../../events/event-type.ts'
import type { meshValidated } from '../../events/mesh.validated.ts'
import type { RouteTo } from '../../events/routes.ts'
import type { Handled } from '../event/handler.ts'

/** `subject`: at most 99 characters of ASCII on one line, as SNS takes it for mail. `text`: plain, of lines. */
export type Notification = { subject: string; text: string }

type Told = Handled<RouteTo<'notify'>>

/** One message that a person understands without having seen the event; its commands are for the given stage. */
export function notificationOf(handled: Told, stage: string): Notification {
  const { event } = handled
  const command: Command = (...words) => `loadpath ${words.map(word).join(' ')} --stage ${word(stage)}`
  const { subject, lines } = told(handled, command)
  const all = [...lines, '', `The whole story: ${command('trace', event.correlationid)}`]
  return {
    subject: subjectOf(`[${event.project}] ${subject}`),
    text: `${all.map((line) => plain(line, longestLine)).join('\n')}\n`,
  }
}

type Draft = { subject: string; lines: readonly string[] }
type Command = (...words: string[]) => string

/** What the events about ended jobs have in common. */
type Ended = {
  kind?: string
  subscriber: string
  job?: string
  counts?: Readonly<Record<string, number>>
  stopped?: string | undefined
  reason?: string | undefined
}

function told(handled: Told, command: Command): Draft {
  switch (handled.type) {
    case 'approval.requested': {
      const { approval, workflow, run, question, expires } = handled.data
      return {
        subject: `Approval needed: ${question}`,
        lines: [
          question,
          '',
          `Approve: ${command('approvals', 'approve', approval)}`,
          `Deny:    ${command('approvals', 'deny', approval)}`,
          '',
          `Run ${run} of ${workflow} waits for the answer until ${readable(expires)}; then the request expires.`,
        ],
      }
    }
    case 'build.status-changed': {
      const { repository, branch, commit, from, failing } = handled.data
      return {
        subject: `Build failing: ${repository} ${branch}`,
        lines: [
          `The builds of ${repository} on ${branch} fail at commit ${short(commit)}: ${listed(failing)}.`,
          from === null ? 'These are the first builds of this branch.' : `Before, they were ${from}.`,
        ],
      }
    }
    case 'circuit.opened': {
      const { subscriber, downstream, reason, alike, failed, succeeded, probeAt } = handled.data
      return {
        subject: `Circuit open: ${partedOf(subscriber, downstream)}`,
        lines: [
          `${alike} events failed alike at ${partedOf(subscriber, downstream)} within a minute (${failed} failed, ${succeeded} went well):`,
          reason,
          '',
          'What comes for it is parked from now on, and not lost. The first delivery tries it again at',
          `${readable(probeAt)}, then ever more rarely; when one succeeds, the parked ones are sent.`,
          `How it stands: ${command('subscribers')}`,
          `If it was mended: ${command('resume', subscriber)} --circuit`,
        ],
      }
    }
    case 'circuit.closed': {
      const { subscriber, downstream, opened, because, job } = handled.data
      return {
        subject: `Circuit closed: ${partedOf(subscriber, downstream)}`,
        lines: [
          `${partedOf(subscriber, downstream)} is served again, because ${because}. It was parted since ${readable(opened)}.`,
          ...(job === undefined ? [] : [`What was parked is being sent: ${command('jobs', 'show', job)}`]),
        ],
      }
    }
    case 'deployment.failed': {
      const { repository, environment, commit, reason, url } = handled.data
      return {
        subject: `Deployment failed: ${repository} to ${environment}`,
        lines: [
          `The deployment of ${repository}${commit === undefined ? '' : ` ${short(commit)}`} to ${environment} failed: ${reason}`,
          ...(url === undefined ? [] : [`More: ${url}`]),
        ],
      }
    }
    case 'event.dead-lettered': {
      const { subscriber, minute, count, sample } = handled.data
      const letters = count === 1 ? '1 event' : `${count} events`
      return {
        subject: `${letters} dead at ${subscriber}`,
        lines: [
          `${letters} that ${subscriber} could not handle died in the minute from ${readable(minute)}. Nothing is lost:`,
          `they wait among the dead letters: ${command('dead', 'list')}`,
          '',
          ...sample.map(({ source, id, reason }) => `- ${id} from ${source}: ${reason}`),
          ...(count > sample.length ? [`- and ${count - sample.length} more`] : []),
        ],
      }
    }
    case 'event.redriven':
    case 'replay.completed':
      return endedDraft(handled.data, command)
    case 'mesh.validated':
      return meshDraft(handled.data, command)
    case 'rollback.decided': {
      const { repository, branch, commit, reasons } = handled.data
      return {
        subject: `Rollback: ${repository} ${branch} at ${short(commit)}`,
        lines: [
          `Commit ${short(commit)} of ${repository} on ${branch} is to be taken back:`,
          '',
          ...reasons.slice(0, mostLines).map((reason) => `- ${reason}`),
        ],
      }
    }
    case 'workflow.failed': {
      const { workflow, run, started, ended, error, cause } = handled.data
      return {
        subject: `Workflow failed: ${workflow}`,
        lines: [
          `Run ${run} of ${workflow}, started ${readable(started)}, failed${ended === undefined ? '' : ` ${readable(ended)}`}.`,
          `Error: ${error ?? 'none was named'}`,
          ...(cause === undefined ? [] : [`Cause: ${cause}`]),
        ],
      }
    }
    default:
      return handled satisfies never
  }
}

/** A job that was stopped before it was done. */
function endedDraft(data: Ended, command: Command): Draft {
  const { kind = 'redrive', subscriber, job, counts = {}, stopped, reason } = data
  const done = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
  return {
    subject: `Stopped: ${kind} of ${subscriber}`,
    lines: [
      `The ${kind} of ${subscriber} has ended before it was done: ${stopped ?? reason ?? 'nothing was noted'}`,
      `Until then: ${done.join(', ') || 'nothing'}.`,
      ...(job === undefined ? [] : [`All of it: ${command('jobs', 'show', job)}`]),
    ],
  }
}

/** The structure is weaker than it was. */
function meshDraft(data: DataOf<typeof meshValidated>, command: Command): Draft {
  const { score, system_health: health, trend, worse, changes, notes, report } = data
  const { items = [], left = 0 } = changes?.appeared ?? {}
  return {
    subject: `Mesh ${health}: ${worse.join(', ')}`,
    lines: [
      `The deployed structure is ${health}, ${score === null ? 'and its score is not known' : `with a score of ${score}`}.`,
      ...(trend === null ? [] : [`On ${readable(trend.last)} it was ${trend.system_health}.`]),
      '',
      ...items.map(({ severity, says }) => `- ${severity}: ${says}`),
      ...(left === 0 ? [] : [`- and ${left} more`]),
      ...notes,
      '',
      `The whole report lies in the bucket of the stage: ${report}.html, .md and .json.`,
      `Once something is mended: ${command('mesh', 'validate')}`,
    ],
  }
}

/** A subscriber, and what it needs where that is more than one thing. */
const partedOf = (subscriber: string, downstream: string): string =>
  downstream === '' ? subscriber : `${subscriber} (${downstream})`

const longestSubject = 99
const longestLine = 1000
const mostLines = 20

/** What others wrote goes into one line: no control characters, and not without end. */
function plain(text: string, longest: number): string {
  const line = text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
  return line.length > longest ? `${line.slice(0, longest - 3).toWellFormed()}...` : line
}

/** Accents go, other letters beyond ASCII become `?`; it begins with the project's `[`, as SNS wants punctuation or a letter. */
const subjectOf = (line: string): string =>
  plain(
    line
      .normalize('NFKD')
      .replaceAll(/\p{M}/gu, '')
      .replaceAll(/[‘’]/g, "'")
      .replaceAll(/[–—]/g, '-')
      .replaceAll(/[^\p{ASCII}]/gu, '?'),
    longestSubject,
  )

const short = (commit: string): string => commit.slice(0, 7)

const listed = (names: readonly string[]): string =>
  names.length > mostLines
    ? `${names.slice(0, mostLines).join(', ')} and ${names.length - mostLines} more`
    : names.join(', ')

/** `2026-01-01 12:00 UTC` */
const readable = (time: string): string => {
  const utc = new Date(time).toISOString()
  return `${utc.slice(0, 10)} ${utc.slice(11, 16)} UTC`
}

/** A word of a command as a shell takes it, so that an id from outside, when it is pasted, is an id and no command. */
const word = (id: string): string =>
  /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(id) ? id : `'${id.replaceAll("'", `'\\''`)}'`
