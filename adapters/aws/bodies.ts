import type { Bodies } from '../../core/ports.ts'
import { type Aws, isAwsError } from './clients.ts'

/** Bodies in S3. One that a person still has to look at lies under `held/` too and is found there. */
export function s3Bodies({ aws, bucket }: { aws: Aws; bucket: string }): Bodies {
  const read = async (key: string): Promise<Uint8Array | undefined> => {
    try {
      return await aws.object('GET', bucket, key)
    } catch (error) {
      if (isAwsError(error, 'NoSuchKey')) return undefined
      throw error
    }
  }
  return {
    async put(key, body) {
      await aws.object('PUT', bucket, key, body)
    },
    get: async (key) => (await read(key)) ?? (key.startsWith('held/') ? undefined : read(`held/${key}`)),
  }
}
