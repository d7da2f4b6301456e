import { type Editor, editorFor } from '../otlp/editor.ts'
