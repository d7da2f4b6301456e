import healthCheck from './health_check/health_check.ts'
import pprof from './pprof/pprof.ts'
import zpages from './zpages/zpages.ts'

export default [healthCheck, pprof, zpages]
