import healthCheck from './health_check/health_check.ts'
import memoryLimiter from './memory_limiter/memory_limiter.ts'
import pprof from './pprof/pprof.ts'
import zpages from './zpages/zpages.ts'

export default [healthCheck, memoryLimiter, pprof, zpages]
