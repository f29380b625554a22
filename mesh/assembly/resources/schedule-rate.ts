const units: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 }
const [day, month, year] = [86_400, (365.25 * 86_400) / 12, 365.25 * 86_400]

/**
 * How often an expression of EventBridge or its Scheduler comes around, per second on average over the years; 0 for
 * `at(…)`, once and never again. undefined: it is none of `rate(…)`, `cron(…)` and `at(…)`, or a `cron(…)` of some years,
 * of which nothing here says whether they are over.
 */
export function perSecondOf(expression: string): number | undefined {
  const [, kind, inside = ''] = /^\s*(rate|cron|at)\((.*)\)\s*$/.exec(expression) ?? []
  if (kind === 'at') return 0
  if (kind === 'rate') {
    const [, count, unit = ''] = /^\s*(\d+)\s+(minute|hour|day)s?\s*$/.exec(inside) ?? []
    const seconds = Number(count) * (units[unit] ?? Number.NaN)
    return seconds > 0 ? 1 / seconds : undefined
  }
  const fields = inside.trim().split(/\s+/)
  if (kind !== 'cron' || fields.length !== 6) return undefined
  const [minutes = '', hours = '', ofMonth = '', months = '', ofWeek = '', years] = fields
  if (years !== '*') return undefined
  const aDay = (countOf(minutes, 0, 59) ?? Number.NaN) * (countOf(hours, 0, 23) ?? Number.NaN)
  const days = ofWeek === '?' || ofWeek === '*' ? daysOfMonth(ofMonth) : daysOfWeek(ofWeek)
  const part = (countOf(months, 1, 12, monthNames) ?? Number.NaN) / 12
  const perSecond = aDay * days * part
  return Number.isFinite(perSecond) ? perSecond : undefined
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const monthNames = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

/** Days per second; `L` and `15W` are one day of a month. */
function daysOfMonth(field: string): number {
  if (field === '*' || field === '?') return 1 / day
  return field
    .split(',')
    .reduce((sum, part) => sum + (/[LW]/.test(part) ? 1 : (countOf(part, 1, 31) ?? Number.NaN)) / month, 0)
}

/** `2#1`, `6L`: one day of a month; others each week, `L` alone the last day of it. */
function daysOfWeek(field: string): number {
  const parts = field.split(',')
  const rare = parts.filter((part) => /#|.L$/.test(part))
  const often = parts.filter((part) => !rare.includes(part)).map((part) => (part === 'L' ? 'SAT' : part))
  const weekly = often.length === 0 ? 0 : (countOf(often.join(','), 1, 7, weekdays) ?? Number.NaN)
  return (rare.length * 12) / year + weekly / (7 * day)
}

/** How many values a field has: lists, ranges, steps and names. */
function countOf(
  field: string,
  least: number,
  most: number,
  names: readonly string[] = [],
): number | undefined {
  const numberIn = (text: string): number => {
    const named = names.indexOf(text.toUpperCase())
    return named >= 0 ? named + least : /^\d+$/.test(text) ? Number(text) : Number.NaN
  }
  const values = new Set<number>()
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/')
    const [from = '', to] = range.split('-')
    const first = from === '*' ? least : numberIn(from)
    const last = to === undefined ? (from === '*' || part.includes('/') ? most : first) : numberIn(to)
    const by = Number(step)
    if (!(first >= least && first <= most && last >= least && last <= most && by >= 1)) return undefined
    // FRI-MON goes over the end of the week
    const span = last >= first ? last - first : last - first + (most - least + 1)
    for (let offset = 0; offset <= span; offset += by)
      values.add(((first - least + offset) % (most - least + 1)) + least)
  }
  return values.size
}
