import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Bodies } from '../../core/ports.ts'

/** What every Bodies promises. */
export function bodiesContract(make: () => { bodies: Bodies; expireBody(key: string): Promise<void> }): void {
  test('bytes come back as they were put', async () => {
    const { bodies } = make()
    const key = `project/main/${randomUUID()}/a b+c&d=e!'()*~ü🦊`
    const body = randomBytes(200_000)
    expect(await bodies.get(key)).toBeUndefined()
    await bodies.put(key, body)
    expect(Buffer.compare((await bodies.get(key)) ?? Buffer.from(''), body)).toBe(0)
    await bodies.put(key, new Uint8Array())
    expect((await bodies.get(key))?.byteLength).toBe(0)
    expect(await bodies.get(`${key}x`)).toBeUndefined()
  })

  test('what is held is found when the original is gone', async () => {
    const { bodies, expireBody } = make()
    const key = `service/main/${randomUUID()}`
    await bodies.put(key, Buffer.from('original'))
    await bodies.put(`held/${key}`, Buffer.from('held'))
    const read = async () => Buffer.from((await bodies.get(key)) ?? 'gone').toString()
    expect(await read()).toBe('original')
    await expireBody(key)
    expect(await read()).toBe('held')
    await expireBody(`held/${key}`)
    expect(await read()).toBe('gone')
  })
}
