/** What many schedules together must have come past; if not, they test less than they seem to. */
export const expected = [
  'a batch of the stream comes again',
  'a commit loses a race',
  'a dependency is out',
  'a function runs out of time',
  'a handled message is not deleted',
  'a handler takes its process along',
  'a message goes to the dead letters',
  'a part of a batch fails',
  'a process dies after send',
  'a process dies after commit',
  'a process dies after insertEvents',
  'a process dies after act',
  'a rule cannot reach its target',
  'a run is started a second time',
  'newer code is taken back',
  'newer code stays',
  'nobody tells of a run',
  'one message is handled twice at once',
  'some entries of a PutEvents fail',
  'some inserts of a batch fail',
  'some messages of a batch are not sent',
  'something is sent again',
  'the answer of commit gets lost',
  'the answer of insertEvents gets lost',
  'the answer of send gets lost',
  'the stream never tells',
  'the sweep sends what was missing',
] as const

export const unseen = (seen: Readonly<Record<string, number>>): string[] =>
  expected.filter((name) => seen[name] === undefined)
