import * as z from 'zod'

/** The parts of GitHub's payloads that several of its events share. Unknown fields are kept. */
export const repositoryName = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100}$/, { error: '<owner>/<name>, as GitHub has it' })

export const githubRepository = z.looseObject({
  full_name: repositoryName,
  default_branch: z.string().optional(),
})

export const githubSender = z.looseObject({ login: z.string() })

export const repositoryKey = (fullName: string): string => `repository/${fullName}`

/** The run of a workflow, as GitHub's workflow_run events carry it. */
const workflowRun = () =>
  z.looseObject({
    id: z.number(),
    name: z.string().nullable(),
    run_attempt: z.number().default(1),
    head_branch: z.string().nullable(),
    head_sha: z.string(),
    status: z.string(),
    conclusion: z.string().nullable(),
    html_url: z.string().optional(),
    /** what triggered it: push, pull_request, schedule, … */
    event: z.string().optional(),
    /** the file that defines the workflow */
    path: z.string().optional(),
    /** where its commit lies: a fork, when it runs for a pull request from one */
    head_repository: z.looseObject({ full_name: z.string() }).nullable().optional(),
    created_at: z.iso.datetime({ offset: true }).optional(),
    updated_at: z.iso.datetime({ offset: true }),
  })

export const workflowRunData = () =>
  z.looseObject({
    action: z.string(),
    workflow: z.looseObject({ name: z.string() }).nullable().optional(),
    workflow_run: workflowRun(),
    repository: githubRepository,
    sender: githubSender,
  })

export const workflowRunExample = (action: string, status: string, conclusion: string | null) => ({
  action,
  workflow_run: {
    id: 289782451,
    name: 'CI',
    run_attempt: 1,
    head_branch: 'master',
    head_sha: '3484a3fb816e0859fd6e1cea078d76385ff50625',
    status,
    conclusion,
    html_url: 'https://github.com/octo-org/octo-repo/actions/runs/289782451',
    event: 'push',
    created_at: '2020-10-05T07:27:05Z',
    updated_at: '2020-10-05T07:27:43Z',
  },
  repository: { full_name: 'octo-org/octo-repo', default_branch: 'master' },
  sender: { login: 'Codertocat' },
})

export const pullRequestData = () =>
  z.looseObject({
    action: z.string(),
    number: z.number().int(),
    pull_request: z.looseObject({
      title: z.string(),
      head: z.looseObject({ ref: z.string(), sha: z.string() }),
      base: z.looseObject({ ref: z.string(), sha: z.string() }),
      additions: z.number().optional(),
      deletions: z.number().optional(),
      changed_files: z.number().optional(),
    }),
    repository: githubRepository,
    sender: githubSender,
  })

export const pullRequestExample = (action: string) => ({
  action,
  number: 2,
  pull_request: {
    title: 'Update the README with new information.',
    head: { ref: 'changes', sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821' },
    base: { ref: 'master', sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e' },
    additions: 1,
    deletions: 1,
    changed_files: 1,
  },
  repository: { full_name: 'Codertocat/Hello-World', default_branch: 'master' },
  sender: { login: 'Codertocat' },
})
