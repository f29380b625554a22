/** Language -> the extensions and whole names of its files, in lower case. */
const table: Readonly<Record<string, string>> = {
  TypeScript: '.ts .tsx .mts .cts',
  JavaScript: '.js .jsx .mjs .cjs',
  Python: '.py .pyi .ipynb',
  Go: '.go',
  Rust: '.rs',
  Java: '.java',
  Kotlin: '.kt .kts',
  Scala: '.scala .sbt',
  Groovy: '.groovy .gradle jenkinsfile',
  'C#': '.cs .csx',
  'F#': '.fs .fsx',
  C: '.c .h',
  'C++': '.cc .cpp .cxx .hh .hpp .hxx',
  'Objective-C': '.m .mm',
  Swift: '.swift',
  Dart: '.dart',
  Ruby: '.rb .rake .gemspec gemfile rakefile',
  PHP: '.php',
  Perl: '.pl .pm',
  Lua: '.lua',
  R: '.r',
  Julia: '.jl',
  Elixir: '.ex .exs',
  Erlang: '.erl .hrl',
  Haskell: '.hs',
  OCaml: '.ml .mli',
  Clojure: '.clj .cljs .cljc',
  Zig: '.zig',
  Shell: '.sh .bash .zsh .fish',
  PowerShell: '.ps1 .psm1',
  SQL: '.sql',
  GraphQL: '.graphql .gql',
  'Protocol Buffers': '.proto',
  Terraform: '.tf .tfvars .hcl',
  Docker: '.dockerfile dockerfile containerfile',
  Make: '.mk makefile justfile',
  CMake: '.cmake cmakelists.txt',
  HTML: '.html .htm',
  CSS: '.css .scss .sass .less',
  Vue: '.vue',
  Svelte: '.svelte',
  Astro: '.astro',
  JSON: '.json .jsonc .json5',
  YAML: '.yml .yaml',
  TOML: '.toml',
  XML: '.xml .xsd .xsl',
  Markdown: '.md .mdx .markdown',
  reStructuredText: '.rst',
  Text: '.txt license notice',
}

const languages: ReadonlyMap<string, string> = new Map(
  Object.entries(table).flatMap(([language, marks]) => marks.split(' ').map((mark) => [mark, language])),
)

/** The language of a file, by its name and then its extension; `Other` where neither is known. */
export function languageOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const dot = name.lastIndexOf('.')
  return languages.get(name) ?? (dot < 0 ? undefined : languages.get(name.slice(dot))) ?? 'Other'
}

/** What no test of its own proves: prose, settings, markup, recipes. */
const untested: ReadonlySet<string> = new Set(
  'Markdown reStructuredText Text JSON YAML TOML XML SQL HTML CSS Docker Make CMake Terraform Other'.split(
    ' ',
  ),
)

/** Whether a file of this language is program text, which tests could prove. */
export const isCode = (language: string): boolean => !untested.has(language)
