/**
 * Baseline (b): @grpc/grpc-js moves the request's bytes from its server to its client and looks at nothing.
 *
 *   tools/node bench/baselines/grpc-raw.ts IN_PORT OUT_PORT
 */
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js'

const [inPort, outPort] = process.argv.slice(2)
const PATH = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 }
const same = (bytes: Buffer): Buffer => bytes

const client = new Client(`127.0.0.1:${outPort}`, credentials.createInsecure(), UNLIMITED)
const server = new Server(UNLIMITED)
server.addService(
  {
    export: {
      path: PATH,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  },
  {
    export: (
      call: { readonly request: Buffer },
      answer: (error: { readonly code: status } | null, response?: Buffer) => void,
    ) => {
      client.makeUnaryRequest(PATH, same, same, call.request, (error, response) => {
        if (error) answer({ code: status.UNAVAILABLE })
        else answer(null, response)
      })
    },
  },
)
server.bindAsync(`127.0.0.1:${inPort}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error
})
