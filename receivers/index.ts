import generator from './generator/generator.ts'
import nop from './nop/nop.ts'
import otlp from './otlp/otlp.ts'

export default [generator, nop, otlp]
