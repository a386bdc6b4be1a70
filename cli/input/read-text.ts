import { ConfigError } from '../../core/errors.ts'

/**
 * All of a stream as text.
 * @throws ConfigError (`BEAM_ERR_USAGE`) when it is longer than it may be
 */
export async function readText(stream: NodeJS.ReadableStream, maxBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk as Uint8Array | string)
    bytes += part.length
    if (bytes > maxBytes) throw new ConfigError(`Standard input is longer than ${maxBytes} bytes.`, { code: 'BEAM_ERR_USAGE' })
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
