import { describe, expect, test } from 'vitest'
import { COMPONENT_FOLDERS, files, read } from '../support/tree.ts'

/** One template, so that a reader who knows one README finds everything in the others. */
const SECTIONS = ['Overview', 'Getting started', 'Reference', 'Delivery', 'Limits']

const components = files(...COMPONENT_FOLDERS.map((folder) => `${folder}/*/*.ts`))
  .map((path) => path.split('/'))
  .filter(([, name, file]) => file === `${name}.ts`)
  .map(([folder, name]) => `${folder}/${name}`)

describe('component READMEs', () => {
  test('there are components', () => {
    expect(components.length).toBeGreaterThan(0)
  })

  test.each(components)('%s has the sections of the template, in order', (component) => {
    const text = read(`${component}/README.md`).replaceAll(/^```[\s\S]*?^```/gm, '')
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!)
    expect(headings.filter((heading) => SECTIONS.includes(heading))).toEqual(SECTIONS)
  })

  test.each(components)('%s shows the smallest YAML that works', (component) => {
    const [, type] = component.split('/')
    const text = read(`${component}/README.md`)
    const started = text.slice(text.indexOf('## Getting started'), text.indexOf('## Reference'))
    const [, yaml] = /^```ya?ml\n([\s\S]*?)^```/m.exec(started) ?? []
    expect(yaml, 'a yaml block under Getting started').toMatch(new RegExp(`^  ${type}(/\\S+)?:`, 'm'))
  })
})
