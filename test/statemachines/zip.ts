import { crc32 } from 'node:zlib'

/** A zip file that holds one file, uncompressed: the smallest that Lambda takes. */
export function zipOf(name: string, content: Uint8Array): Uint8Array {
  const file = Buffer.from(name)
  const header = Buffer.alloc(26)
  header.writeUInt16LE(20, 0) // needs version 2.0
  header.writeUInt32LE(crc32(content), 10)
  header.writeUInt32LE(content.length, 14)
  header.writeUInt32LE(content.length, 18)
  header.writeUInt16LE(file.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, file, content])
  const attributes = Buffer.alloc(14) // no comment, first disk, readable by all, at offset 0
  attributes.writeUInt32LE(0o100644 * 2 ** 16, 6)
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), header, attributes, file])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end])
}
