import healthCheck from './health_check/health_check.ts'

export default [healthCheck]
