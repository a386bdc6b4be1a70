import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Router } from '../../../../backends/mesh/port-map/router.ts'

/** How a router that is none answers. Absent: it does not. */
export interface FakeAnswers {
  /** To a datagram at the port of PCP and NAT-PMP. */
  readonly pcp?: (question: Buffer) => Buffer | undefined
  /** To a search for UPnP devices; `at` is where it serves HTTP. */
  readonly search?: (at: string) => string
  /** To a request over HTTP. */
  readonly http?: (path: string, body: string) => { readonly status: number; readonly text: string }
}

/** Something on 127.0.0.1 that answers like a router, or not at all like one. */
export async function fakeRouter(answers: FakeAnswers): Promise<Router & AsyncDisposable> {
  const [pcp, search] = [createSocket('udp4'), createSocket('udp4')]
  const web = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      const { status = 404, text = '' } = answers.http?.(request.url ?? '', body) ?? {}
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text)
    })
  })
  pcp.bind(0, '127.0.0.1').on('message', (question, { address, port }) => {
    const answer = answers.pcp?.(question)
    if (answer !== undefined) pcp.send(answer, port, address)
  })
  search.bind(0, '127.0.0.1').on('message', (_question, { address, port }) => {
    const answer = answers.search?.(`http://127.0.0.1:${(web.address() as AddressInfo).port}`)
    if (answer !== undefined) search.send(answer, port, address)
  })
  web.listen(0, '127.0.0.1')
  await Promise.all([once(pcp, 'listening'), once(search, 'listening'), once(web, 'listening')])
  return {
    address: '127.0.0.1',
    own: '127.0.0.1',
    pcpPort: pcp.address().port,
    search: { host: '127.0.0.1', port: search.address().port },
    async [Symbol.asyncDispose]() {
      pcp.close()
      search.close()
      web.closeAllConnections()
      await new Promise((resolve) => web.close(resolve))
    },
  }
}
