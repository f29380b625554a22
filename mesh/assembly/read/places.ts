import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { at, textOf, textsOf } from '../json.ts'
import type { Metadata } from './manifest.ts'
import type { Place, Template } from './template.ts'

/**
 * Where the resources of a template come from, by logical id. The CDK says it in the template itself
 * (`aws:cdk:path`, since the CLI asks for it), and in the metadata of the stack: `aws:cdk:logicalId` under the construct's
 * path, for nested stacks too, whose constructs lie below one with an `aws:cdk:templateFile` of its own. Stack traces are
 * there with CDK_DEBUG=1 or `--debug`: as `aws:cdk:creationStack`, before 2.2 as the trace of the logical id.
 */
export function placesOf(
  template: Template,
  file: string,
  metadata: Metadata,
  directory: string,
): Map<string, Place> {
  const places = new Map<string, Place>()
  const files = Object.entries(metadata).flatMap(([path, entries]) =>
    entries.flatMap(({ type, data }) => (type === 'aws:cdk:templateFile' ? [{ path, file: data }] : [])),
  )
  for (const [path, entries] of Object.entries(metadata)) {
    const [own] = files
      .filter((of) => path === of.path || path.startsWith(`${of.path}/`))
      .toSorted((a, b) => b.path.length - a.path.length)
    if (own !== undefined && own.file !== file) continue
    const id = entries.find(({ type }) => type === 'aws:cdk:logicalId')
    const logicalId = textOf(id?.data)
    if (logicalId === undefined || template.Resources[logicalId] === undefined) continue
    const created = entries.find(({ type }) => type === 'aws:cdk:creationStack')
    const source = sourceOf(created ? textsOf(created.data) : (id?.trace ?? []), directory)
    places.set(logicalId, { path: path.replace(/^\//, ''), ...(source && { source }) })
  }
  for (const [logicalId, { Metadata }] of Object.entries(template.Resources)) {
    const path = textOf(at(Metadata, 'aws:cdk:path'))
    if (path !== undefined) places.set(logicalId, { ...places.get(logicalId), path })
  }
  return places
}

/** The first frame outside packages. Of what lies beside the assembly, the path from there: the same on each machine. */
function sourceOf(frames: readonly string[], directory: string): Place['source'] {
  for (const frame of frames) {
    const [, address = '', line] =
      /(?:^|[\s(])((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^():]+):(\d+)/.exec(frame) ?? []
    if (line === undefined || Number(line) < 1 || frame.includes('node_modules')) continue
    const file = address.startsWith('file://') ? fileURLToPath(address) : address
    const near = relative(dirname(resolve(directory)), file)
    return { file: near.startsWith('..') || isAbsolute(near) ? file : near, line: Number(line) }
  }
  return undefined
}
