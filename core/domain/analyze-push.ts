import type { DataOf } from '../../events/event-type.ts'
import type { githubPush } from '../../events/github.push.ts'
import type { ChangeAnalysis, repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { isCode, languageOf } from './languages.ts'

type Push = DataOf<typeof githubPush>
type Word = 'added' | 'modified' | 'removed'

/** A push as the rules see it. */
type Change = {
  push: Push
  /** path -> what happened to it last */
  files: ReadonlyMap<string, Word>
  paths: readonly string[]
}

/** What a push touches and how risky that is, from its payload alone. */
export function analyzePush(push: Push): DataOf<typeof repositoryAnalyzed> {
  const files = filesOf(push)
  const paths = [...files.keys()]
  return {
    repository: push.repository.full_name,
    branch: push.ref.startsWith(branches) ? push.ref.slice(branches.length) : push.ref,
    commit: push.after,
    languages: Object.fromEntries(counted(paths.map(languageOf))),
    areas: counted(paths.map(areaOf))
      .slice(0, mostAreas)
      .map(([area, files]) => ({ area, files })),
    size: { commits: push.commits.length, ...sizeOf(files) },
    risk: riskOf({ push, files, paths }),
  }
}

const branches = 'refs/heads/'
const mostAreas = 50
const longestPath = 4096

/** Each file once, however many commits touch it; the last commit that does has the say. */
function filesOf(push: Push): Map<string, Word> {
  const files = new Map<string, Word>()
  for (const commit of push.commits)
    for (const word of ['added', 'modified', 'removed'] as const)
      for (const path of commit[word]) files.set(path.slice(0, longestPath).toWellFormed(), word)
  return files
}

function sizeOf(files: ReadonlyMap<string, Word>): Record<Word, number> {
  const size = { added: 0, modified: 0, removed: 0 }
  for (const word of files.values()) size[word]++
  return size
}

/** The top folder of a file; `.` for files at the root. */
const areaOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '.')

/** How often each name comes, the most frequent first, then by name. */
const counted = (names: readonly string[]): [string, number][] =>
  [...Map.groupBy(names, (name) => name)]
    .map(([name, all]): [string, number] => [name, all.length])
    .sort(([a, some], [b, others]) => others - some || (a < b ? -1 : 1))

// ---- risk ----------------------------------------------------------------------------------------

/** A reason for care: how much it weighs, and what to say where it applies. */
type Rule = { name: string; points: number; applies: (change: Change) => string | undefined }

/** Applies where the path of a file that is touched, in lower case, matches; says which. */
const touching = (name: string, points: number, pattern: RegExp): Rule => ({
  name,
  points,
  applies: ({ paths }) => {
    const matching = paths.filter((path) => pattern.test(path.toLowerCase()))
    if (matching.length === 0) return undefined
    const more = matching.length === 1 ? '' : ` and ${matching.length - 1} more`
    return `${shown(matching[0] ?? '')}${more}`
  },
})

/** A path as it is quoted in a reason: one line, not too long. */
const shown = (path: string): string => {
  const line = path.replaceAll(/\p{Cc}/gu, ' ')
  return line.length > 80 ? `…${line.slice(-79).toWellFormed()}` : line
}

const tests =
  /(^|\/)(tests?|specs?|__tests__|e2e|features)\/|(^|\/)test_[^/]*$|[._-](test|tests|spec|specs)\.[^/]*$/

/** GitHub's own limits of a payload: beyond them it says nothing. */
const listed = { commits: 2048, filesOfCommit: 3000 } as const

/**
 * The rules, the heaviest first. The score is the sum of the points of those that apply, at most 100;
 * each that applies gives one reason: `<name>: <what> (+<points>)`.
 */
export const rules: readonly Rule[] = [
  touching('database migrations', 25, /(^|\/)(migrations?|migrate|alembic|flyway|liquibase)\/|\.sql$/),
  {
    name: 'list is cut',
    points: 25,
    applies: ({ push }) => {
      if (push.commits.length >= listed.commits) return `GitHub lists ${listed.commits} commits at most`
      const cut = push.commits.some(
        ({ added, modified, removed }) =>
          added.length + modified.length + removed.length >= listed.filesOfCommit,
      )
      return cut ? `GitHub lists ${listed.filesOfCommit} files of a commit at most` : undefined
    },
  },
  touching(
    'access and secrets',
    20,
    /(^|[/._-])(auth|authn|authz|oauth2?|oidc|saml|login|logout|sessions?|security|permissions?|passwords?|credentials?|secrets?|crypto|iam|acls?|rbac|codeowners)([/._-]|$)|(^|\/)\.env|\.(pem|key|p12|jks)$/,
  ),
  touching(
    'infrastructure',
    20,
    /(^|\/)(infra|infrastructure|terraform|cdk|k8s|kubernetes|helm|charts|ansible|deploy|deployment)\/|\.(tf|tfvars|hcl|bicep)$|(^|\/)(dockerfile[^/]*|containerfile|(docker-)?compose[^/]*\.ya?ml|cdk\.json|serverless\.ya?ml|samconfig\.toml)$/,
  ),
  {
    name: 'history rewritten',
    points: 20,
    applies: ({ push }) => (push.forced ? `forced push to ${shown(push.ref)}` : undefined),
  },
  touching(
    'build pipeline',
    15,
    /(^|\/)(\.github\/(workflows|actions)|\.circleci|\.buildkite|\.ci)\/|(^|\/)(\.gitlab-ci\.yml|jenkinsfile|azure-pipelines\.yml|buildspec\.ya?ml|bitbucket-pipelines\.yml)$/,
  ),
  {
    name: 'many files',
    points: 15,
    applies: ({ files }) => (files.size > 50 ? `${files.size} changed` : undefined),
  },
  {
    name: 'very many files',
    points: 15,
    applies: ({ files }) => (files.size > 200 ? 'more than anybody reviews' : undefined),
  },
  {
    name: 'deletions',
    points: 10,
    applies: ({ files }) => {
      const { removed } = sizeOf(files)
      return removed >= 5 ? `${removed} files removed` : undefined
    },
  },
  touching(
    'dependencies',
    10,
    /(^|\/)(package(-lock)?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|requirements[^/]*\.txt|pyproject\.toml|poetry\.lock|uv\.lock|pipfile(\.lock)?|go\.(mod|sum)|cargo\.(toml|lock)|pom\.xml|build\.gradle(\.kts)?|gradle\.lockfile|gemfile(\.lock)?|composer\.(json|lock)|mix\.(exs|lock)|packages\.lock\.json|[^/]*\.csproj)$/,
  ),
  {
    name: 'no tests',
    points: 10,
    applies: ({ paths }) => {
      const code = paths.filter((path) => isCode(languageOf(path)) && !tests.test(path.toLowerCase()))
      const tested = paths.some((path) => tests.test(path.toLowerCase()))
      return code.length > 0 && !tested
        ? `none changed with ${code.length} source file${code.length === 1 ? '' : 's'}`
        : undefined
    },
  },
  {
    name: 'default branch',
    points: 5,
    applies: ({ push }) =>
      push.ref === `${branches}${push.repository.default_branch}` ? 'pushed straight to it' : undefined,
  },
]

/** What a score from 0 to 100 is called. */
export const riskLevel = (score: number): ChangeAnalysis['risk']['level'] =>
  score >= 60 ? 'high' : score >= 30 ? 'medium' : 'low'

function riskOf(change: Change): ChangeAnalysis['risk'] {
  const found = rules.flatMap(({ name, points, applies }) => {
    const what = applies(change)
    return what === undefined ? [] : [{ points, reason: `${name}: ${what} (+${points})` }]
  })
  const score = Math.min(
    100,
    found.reduce((sum, { points }) => sum + points, 0),
  )
  return { score, level: riskLevel(score), reasons: found.map(({ reason }) => reason) }
}
