import { GRPC } from '../transport/unary.ts'

/** The ledger's reason for a record that no peer takes, not even alone. */
export const TOO_LARGE = 'rejected_too_large'

// RESOURCE_EXHAUSTED is also said of quotas, so the words decide: grpc-go "received message larger than max (5 vs. 4)", also
// "after decompression"; grpc-core and grpc-js the same; grpc-java "gRPC message exceeds maximum size 4: 5"; .NET "exceeds the
// maximum configured message size"; tonic, with OUT_OF_RANGE, "decoded message length too large: found 5 bytes".
const SAYS_SIZE =
  /\blarger than (?:the )?(?:max|\d+ bytes)|\bmessage (?:size |length )?(?:is )?too (?:large|big)|\bexceeds (?:the )?(?:configured )?max(?:imum)?[ a-z]* size|\bbody (?:is )?too large|\b(?:message|request|payload|body)[ a-z]* exceeds\b[ a-z]*\b(?:size|limit)/i

/** Of how many there are, and not of how large this one is: "request rate exceeds the limit". */
const SAYS_NUMBER = /\b(?:rate|quota|throttl\w*|per (?:second|minute|hour|day))\b/i

const SIZE_CODES: ReadonlySet<number> = new Set<number>([GRPC.RESOURCE_EXHAUSTED, GRPC.OUT_OF_RANGE])

/** Whether a gRPC status says that the request was too large, and not that there were too many. */
export function grpcSaysTooLarge(code: number, message: string): boolean {
  return SIZE_CODES.has(code) && saysSize(message)
}

/** The same of an HTTP status. 413 says it by itself; the Go Collector answers 400 "http: request body too large". */
export function httpSaysTooLarge(status: number, message: string): boolean {
  return status === 413 || (status === 400 && saysSize(message))
}

function saysSize(message: string): boolean {
  return SAYS_SIZE.test(message) && !SAYS_NUMBER.test(message)
}
