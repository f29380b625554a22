import { createServer } from 'node:http'

/**
 * DynamoDB and SQS that answer at once and keep nothing, in a process of their own: what is left to measure is the
 * function. Prints its address.
 */
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const operation = String(request.headers['x-amz-target']).split('.')[1]
    const body = Buffer.concat(parts).toString('latin1')
    response.setHeader('content-type', 'application/x-amz-json-1.0')
    if (operation === 'BatchExecuteStatement') {
      const statements = body.split('"Statement":').length - 1
      response.end(`{"Responses":[${Array.from({ length: statements }, () => '{}').join()}]}`)
    } else if (operation === 'SendMessageBatch') response.end('{"Successful":[],"Failed":[]}')
    else response.end('{}')
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`)
})
