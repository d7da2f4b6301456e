import attributes from './attributes/attributes.ts'
import batch from './batch/batch.ts'
import memoryLimiter from './memory_limiter/memory_limiter.ts'
import resource from './resource/resource.ts'

export default [attributes, batch, memoryLimiter, resource]
