// Loaded before every test file: memory that goes back to the pool is overwritten, so that reading it too late shows.
import { arenas } from '../../src/otlp/arena.ts'

arenas.poison = true
