import * as z from 'zod'
import { derivedDocuments } from '../events/document.ts'
import { meshSchemas } from '../mesh/schemas.ts'
import { meshReference } from './mesh-reference.ts'

/** Every file under docs/ that is derived from code: path -> text. `npm run docs` writes them. */
export const documents = (): Map<string, string> =>
  new Map([
    ...derivedDocuments(),
    ['mesh-reference.md', meshReference()],
    ...meshSchemas.map(({ name, title, description, schema }): [string, string] => {
      const document = {
        $id: `https://loadpath.dev/schemas/mesh/${name}`,
        title,
        description,
        ...z.toJSONSchema(schema, { io: 'input', reused: 'ref' }),
      }
      return [`schemas/mesh/${name}.json`, `${JSON.stringify(document, null, 2)}\n`]
    }),
  ])
