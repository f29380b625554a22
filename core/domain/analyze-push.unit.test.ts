import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { analyzePush, riskLevel, rules } from './analyze-push.ts'
import { isCode, languageOf } from './languages.ts'

type Touched = { added?: string[]; modified?: string[]; removed?: string[] }

const push = (commits: readonly Touched[], changes: { ref?: string; forced?: boolean } = {}) =>
  githubPush.schema.parse({
    ref: 'refs/heads/feature',
    before: '0',
    after: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    commits: commits.map((touched, index) => ({
      id: `c${index}`,
      message: 'm',
      timestamp: '2026-01-01T00:00:00Z',
      author: { name: 'Ann' },
      ...touched,
    })),
    repository: { full_name: 'octo/hello', default_branch: 'main' },
    pusher: { name: 'ann' },
    ...changes,
  })

/** The names of the rules that apply. */
const reasons = (...input: Parameters<typeof push>): string[] =>
  analyzePush(push(...input)).risk.reasons.map((reason) => reason.slice(0, reason.indexOf(':')))

const files = (count: number, name = 'docs/page') =>
  Array.from({ length: count }, (_, index) => `${name}${index}.md`)

describe('what a push touches', () => {
  it('languages by file, areas by top folder, and size', () => {
    const { languages, areas, size, branch, commit, repository } = analyzePush(
      push([
        { added: ['src/a.ts', 'src/deep/b.tsx', 'README.md', 'Dockerfile'], removed: ['lib/old.py'] },
        { modified: ['src/c.test.ts', 'LICENSE', 'bin/run', '.gitignore'] },
      ]),
    )
    expect({ repository, branch, commit }).toEqual({
      repository: 'octo/hello',
      branch: 'feature',
      commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    })
    expect(languages).toEqual({ TypeScript: 3, Other: 2, Docker: 1, Markdown: 1, Python: 1, Text: 1 })
    expect(areas).toEqual([
      { area: '.', files: 4 },
      { area: 'src', files: 3 },
      { area: 'bin', files: 1 },
      { area: 'lib', files: 1 },
    ])
    expect(size).toEqual({ commits: 2, added: 4, modified: 4, removed: 1 })
  })

  it('a file of several commits once, as the last of them left it', () => {
    const { size, languages } = analyzePush(
      push([{ added: ['a.ts', 'b.ts'] }, { modified: ['a.ts'], removed: ['b.ts'] }, { modified: ['a.ts'] }]),
    )
    expect(size).toEqual({ commits: 3, added: 0, modified: 1, removed: 1 })
    expect(languages).toEqual({ TypeScript: 2 })
  })

  it('nothing, where there are no commits', () => {
    expect(analyzePush(push([], { ref: 'refs/tags/v1' }))).toEqual({
      repository: 'octo/hello',
      branch: 'refs/tags/v1',
      commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      languages: {},
      areas: [],
      size: { commits: 0, added: 0, modified: 0, removed: 0 },
      risk: { score: 0, level: 'low', reasons: [] },
    })
  })

  it('at most 50 areas, and paths of any name', () => {
    const odd = ['__proto__/constructor', 'a\nb/x.ts', '/rooted.ts', '日本/ファイル.rb', 'x'.repeat(10_000)]
    const many = Array.from({ length: 80 }, (_, index) => `folder${index}/x.go`)
    const analysis = analyzePush(push([{ added: [...odd, ...many] }]))
    expect(analysis.areas).toHaveLength(50)
    expect(analysis.languages).toMatchObject({ Go: 80, Ruby: 1 })
    expect(repositoryAnalyzed.schema.safeParse(analysis).success).toBe(true)
  })
})

describe('its risk', () => {
  it.each([
    ['database migrations', 'db/migrations/001_users.sql'],
    ['database migrations', 'app/migrate/1.xml'],
    ['database migrations', 'schema.sql'],
    ['access and secrets', 'src/auth/token.md'],
    ['access and secrets', 'docs/iam-policy.md'],
    ['access and secrets', '.env.production'],
    ['access and secrets', 'certs/server.key'],
    ['access and secrets', '.github/CODEOWNERS'],
    ['infrastructure', 'infra/app.md'],
    ['infrastructure', 'main.tf'],
    ['infrastructure', 'Dockerfile.prod'],
    ['infrastructure', 'docker-compose.yml'],
    ['build pipeline', '.github/workflows/ci.yml'],
    ['build pipeline', '.gitlab-ci.yml'],
    ['dependencies', 'package.json'],
    ['dependencies', 'web/package-lock.json'],
    ['dependencies', 'requirements-dev.txt'],
    ['dependencies', 'go.sum'],
    ['no tests', 'src/a.ts'],
  ])('%s: %s', (name, path) => {
    expect(reasons([{ modified: [path] }])).toEqual([name])
  })

  it.each([
    'docs/author.md',
    'docs/authors/keys.md',
    'keyboard.md',
    'environment.md',
    'terraforming.md',
    'packages.md',
  ])('nothing in %s', (path) => {
    expect(reasons([{ modified: [path] }])).toEqual([])
  })

  it.each(['src/a.test.ts', 'tests/a.py', 'pkg/a_test.go', 'test_a.py', 'spec/a.rb', 'src/__tests__/a.js'])(
    'source files with %s are tested',
    (path) => {
      expect(reasons([{ modified: ['src/b.ts', path] }])).toEqual([])
    },
  )

  it('many files, and very many', () => {
    expect(reasons([{ added: files(50) }])).toEqual([])
    expect(reasons([{ added: files(51) }])).toEqual(['many files'])
    expect(reasons([{ added: files(201) }])).toEqual(['many files', 'very many files'])
  })

  it('deletions, a forced push, a push to the default branch', () => {
    expect(reasons([{ removed: files(4) }])).toEqual([])
    expect(reasons([{ removed: files(5) }])).toEqual(['deletions'])
    expect(reasons([{ removed: files(5) }, { added: files(5) }])).toEqual([])
    expect(reasons([], { forced: true })).toEqual(['history rewritten'])
    expect(reasons([], { ref: 'refs/heads/main' })).toEqual(['default branch'])
  })

  it('a list that GitHub has cut', () => {
    expect(reasons(Array.from({ length: 2047 }, () => ({})))).toEqual([])
    expect(reasons(Array.from({ length: 2048 }, () => ({})))).toEqual(['list is cut'])
    expect(reasons([{ added: files(3000) }])).toContain('list is cut')
  })

  it('is the sum of what applies, said in words a person reads', () => {
    const { risk } = analyzePush(
      push([{ modified: ['db/migrations/1.sql', 'db/migrations/2.sql', 'go.mod', 'main.go'] }], {
        ref: 'refs/heads/main',
      }),
    )
    expect(risk).toEqual({
      score: 50,
      level: 'medium',
      reasons: [
        'database migrations: db/migrations/1.sql and 1 more (+25)',
        'dependencies: go.mod (+10)',
        'no tests: none changed with 1 source file (+10)',
        'default branch: pushed straight to it (+5)',
      ],
    })
  })

  it('is at most 100', () => {
    const all = [
      'migrations/1.sql',
      'auth/x.ts',
      'infra/x.ts',
      '.github/workflows/x.yml',
      'package.json',
      ...files(250),
    ]
    const { risk } = analyzePush(push([{ removed: all }], { ref: 'refs/heads/main', forced: true }))
    expect(risk.score).toBe(100)
    expect(risk.level).toBe('high')
    expect(risk.reasons).toHaveLength(rules.length - 1)
  })

  it('keeps a reason to one short line, whatever the path', () => {
    const [reason] = analyzePush(push([{ added: [`migrations/a\n${'x'.repeat(1000)}.sql`] }])).risk.reasons
    expect(reason).toMatch(/^database migrations: …x{75}\.sql \(\+25\)$/)
  })

  it('is called low, medium or high', () => {
    expect([0, 29, 30, 59, 60, 100].map(riskLevel)).toEqual([
      'low',
      'low',
      'medium',
      'medium',
      'high',
      'high',
    ])
  })

  it('comes from rules with names of their own, the heaviest first', () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length)
    expect(rules.map(({ points }) => points)).toEqual(rules.map(({ points }) => points).sort((a, b) => b - a))
  })
})

describe('languages', () => {
  it.each([
    ['a/b/Makefile', 'Make'],
    ['x.d.ts', 'TypeScript'],
    ['CMakeLists.txt', 'CMake'],
    ['notes.txt', 'Text'],
    ['SRC/MAIN.GO', 'Go'],
    ['constructor', 'Other'],
    ['.ts/readme', 'Other'],
    ['', 'Other'],
  ])('%s is %s', (path, language) => {
    expect(languageOf(path)).toBe(language)
  })

  it('tell program text from the rest', () => {
    expect(['TypeScript', 'Ruby', 'Shell'].every(isCode)).toBe(true)
    expect(['Markdown', 'YAML', 'CSS', 'Other'].some(isCode)).toBe(false)
  })
})

it('a long path is cut between characters, never within one', () => {
  const added = ['x', 'xy'].map((name) => `migrations/${name}${'🚀'.repeat(60)}.sql`)
  const long = ['', 'x'].map((name) => `${name}${'🚀'.repeat(3000)}/a.md`)
  for (const path of [...added, ...long]) {
    const { areas, risk } = analyzePush(push([{ added: [path] }]))
    const texts = [...areas.map(({ area }) => area), ...risk.reasons]
    expect(texts.filter((text) => !text.isWellFormed())).toEqual([])
  }
})

describe('what GitHub really sent', () => {
  const examples = (
    createRequire(import.meta.url)('@octokit/webhooks-examples') as { name: string; examples: unknown[] }[]
  ).find(({ name }) => name === 'push')?.examples

  it('is analysed, all of it', () => {
    const analyses = (examples ?? []).map((payload) => analyzePush(githubPush.schema.parse(payload)))
    expect(analyses).toHaveLength(7)
    for (const analysis of analyses) expect(repositoryAnalyzed.schema.parse(analysis)).toEqual(analysis)
    expect(analyses.filter(({ size }) => size.commits === 1)).toEqual(
      Array.from({ length: 2 }, () => ({
        repository: 'Codertocat/Hello-World',
        branch: 'master',
        commit: '6113728f27ae82c7b1a177c8d03f9e96e0adf246',
        languages: { Markdown: 1 },
        areas: [{ area: '.', files: 1 }],
        size: { commits: 1, added: 1, modified: 0, removed: 0 },
        risk: { score: 5, level: 'low', reasons: ['default branch: pushed straight to it (+5)'] },
      })),
    )
  })
})
