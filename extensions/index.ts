import healthCheck from './health_check/health_check.ts'
import pprof from './pprof/pprof.ts'

export default [healthCheck, pprof]
