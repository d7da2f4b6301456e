import forward from './forward/forward.ts'

export default [forward]
