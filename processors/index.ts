import attributes from './attributes/attributes.ts'
import batch from './batch/batch.ts'
import resource from './resource/resource.ts'

export default [attributes, batch, resource]
