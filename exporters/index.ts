import debug from './debug/debug.ts'
import file from './file/file.ts'
import nop from './nop/nop.ts'
import otlpGrpc from './otlp_grpc/otlp_grpc.ts'
import otlpHttp from './otlp_http/otlp_http.ts'

export default [debug, file, nop, otlpGrpc, otlpHttp]
