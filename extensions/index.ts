import basicauth from './basicauth/basicauth.ts'
import bearertokenauth from './bearertokenauth/bearertokenauth.ts'
import headersSetter from './headers_setter/headers_setter.ts'
import healthCheck from './health_check/health_check.ts'
import memoryLimiter from './memory_limiter/memory_limiter.ts'
import pprof from './pprof/pprof.ts'
import zpages from './zpages/zpages.ts'

export default [basicauth, bearertokenauth, headersSetter, healthCheck, memoryLimiter, pprof, zpages]
