import { Client, credentials } from '@grpc/grpc-js'
import { exportPath, type Stable } from './otlp-services.ts'

/** Sends one serialized request by @grpc/grpc-js; rejects with what the server answered. */
export async function exportGrpc(address: string, signal: Stable, request: Uint8Array): Promise<void> {
  const client = new Client(address, credentials.createInsecure())
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
  try {
    await new Promise<void>((resolve, reject) => {
      client.makeUnaryRequest(exportPath(signal), raw, raw, request, (error) => (error ? reject(error) : resolve()))
    })
  } finally {
    client.close()
  }
}
