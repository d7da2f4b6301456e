import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { ownResource, readResource } from '../../src/telemetry/own-resource.ts'
import { detect, readDetection } from '../../src/telemetry/resource-detection.ts'

const DETECTION = 'detection/development'

test('host and process say what this machine and process are, under what is there on its own and configured', () => {
  const { attributes } = ownResource(
    { 'service.name': 'sluice' },
    {
      'host.name': 'edge-1',
      'os.type': null,
      [DETECTION]: { detectors: [{ host: {} }, { process: null, service: {} }] },
    },
  )
  expect(attributes).toEqual({
    'host.name': 'edge-1',
    'os.description': expect.stringContaining(hostname()),
    'process.pid': BigInt(process.pid),
    'process.executable.name': 'node',
    'process.executable.path': process.execPath,
    'process.command_args': process.argv,
    'process.owner': expect.any(String),
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'process.runtime.description': expect.stringMatching(/^Node\.js for /),
    'service.name': 'sluice',
  })
})

test('attributes that are not wanted are left out', () => {
  const none = { detectors: ['host'] as const, included: [], excluded: [] }
  expect(Object.keys(detect({ ...none, included: ['host.name', 'host.id'] }))).toEqual(['host.name'])
  expect(Object.keys(detect({ ...none, excluded: ['host.name'] }))).toEqual(['os.type', 'os.description'])
})

test.each([
  ['12:pids:/docker/0123456789abcdef\n', '0123456789abcdef'],
  ['11:cpu:/\n10:memory:/kubepods.slice/cri-containerd-00ff.scope\n', '00ff'],
  ['5:cpu:/system.slice/containerd.service/kubepods:cri-containerd:beef\n', 'beef'],
  ['0::/\n', undefined],
  ['0::/user.slice/session.scope', undefined],
  ['', undefined],
])('of the cgroups %j the container is %j', (cgroups, id) => {
  const found = detect({ detectors: ['container'], included: [], excluded: [] }, () => cgroups)
  expect(found).toEqual(id === undefined ? {} : { 'container.id': id })
})

test.each([
  ['NAME="Debian GNU/Linux"\nVERSION=\'13 (trixie)\'\nPRETTY_NAME=x\n', 'Debian GNU/Linux 13 (trixie) ('],
  ['# none\nNAME=Arch\nPRETTY_NAME="Arch Linux"', 'Arch Linux ('],
])('an os-release of %j is the system %j', (text, start) => {
  const found = detect({ detectors: ['host'], included: [], excluded: [] }, () => text)
  expect(String(found['os.description']).startsWith(start)).toBe(true)
})

test('what cannot be right is named with its place', () => {
  const said = (raw: unknown): string[] => {
    const { problems } = readResource({ [DETECTION]: raw })
    return problems.map(({ path, message }) => `${path.slice(1).join('.')}: ${message}`)
  }
  expect(said('host')).toEqual([': expected a mapping with detectors and attributes'])
  expect(said({ detectors: { host: {} }, every: 1 })).toEqual([
    'every: there is no such key; there are detectors and attributes',
    'detectors: expected a list like [{host: {}}, {process: {}}]',
  ])
  expect(said({ detectors: ['host', { gcp: {} }, { hots: {} }] })).toEqual([
    'detectors.0: expected a detector like {host: {}}',
    "detectors.1.gcp: not supported: nothing here asks a cloud's metadata service; write its attributes; there are host, process, container, service",
    'detectors.2.hots: there is no such detector; there are host, process, container, service',
  ])
  expect(said({ attributes: { included: 'a' } })).toEqual([
    'attributes: expected lists of names, {included: […], excluded: […]}',
  ])
  expect(said({ attributes: { included: ['a'], excluded: ['a'] } })).toEqual([
    'attributes: "a" is both included and excluded; remove one',
  ])
})

test('nothing runs where nothing is asked for', () => {
  const problems: never[] = []
  expect(detect(readDetection(null, problems))).toEqual({})
  expect(ownResource({}, { schema_url: 'x', zone: 'a' })).toEqual({ attributes: { zone: 'a' }, schemaUrl: 'x' })
})
