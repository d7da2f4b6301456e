import { get } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import healthCheck from '../../../extensions/health_check/health_check.ts'
import { HealthServer, type HealthSettings } from '../../../extensions/health_check/server.ts'
import { deadlineIn, type TestContext, testContext } from '../../support/context.ts'
import { hostContext } from '../../support/host.ts'

const running: { server: HealthServer; ctx: TestContext }[] = []

afterEach(async () => {
  for (const { server, ctx } of running.splice(0)) await server.stop(deadlineIn(ctx.clock, 0))
})

async function rig(settings: Partial<HealthSettings> = {}) {
  const ctx = testContext({ kind: 'extension', id: 'health_check' })
  const server = new HealthServer(
    { endpoint: '127.0.0.1:0', path: '/', response_body: undefined, response_headers: {}, ...settings },
    ctx,
  )
  running.push({ server, ctx })
  await server.start()
  const ask = (path = '/') => fetchText(`http://${ctx.endpoints[0]!.address}${path}`)
  return { ctx, server, ask }
}

function fetchText(url: string): Promise<{ status: number; type: string; text: string }> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode!, type: String(response.headers['content-type']), text }),
      )
    }).on('error', reject)
  })
}

describe('health_check', () => {
  it('is unavailable while starting, available when ready, unavailable from the moment the stop begins', async () => {
    const { ctx, server, ask } = await rig()
    const unavailable = {
      status: 503,
      type: 'application/json',
      text: '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}',
    }
    expect(await ask()).toEqual(unavailable)
    server.ready()
    await ctx.clock.advance(62_500)
    expect(await ask('/any/path')).toEqual({
      status: 200,
      type: 'application/json',
      text: '{"status":"Server available","upSince":"2026-01-01T00:00:00.000Z","uptime":"1m2.5s"}',
    })
    server.stopping()
    expect(await ask()).toEqual(unavailable)
  })

  it('answers with the texts of response_body, on its path only', async () => {
    const { server, ask } = await rig({ path: '/health', response_body: { healthy: "I'm good", unhealthy: "I'm bad" } })
    expect(await ask('/health')).toMatchObject({ status: 503, text: "I'm bad" })
    server.ready()
    expect(await ask('/health?probe=1')).toMatchObject({ status: 200, text: "I'm good" })
    expect(await ask('/')).toMatchObject({ status: 404 })
  })

  it('says whose address is taken and what to do', async () => {
    const { ctx } = await rig()
    const second = new HealthServer(
      { endpoint: ctx.endpoints[0]!.address, path: '/', response_body: undefined, response_headers: {} },
      testContext({ kind: 'extension', id: 'health_check/2' }),
    )
    await expect(second.start()).rejects.toMatchObject({
      code: 'LISTEN_ADDRESS_IN_USE',
      message: expect.stringContaining('extension health_check/2: endpoint') as string,
    })
  })

  it('stops twice and unstarted', async () => {
    const { ctx, server, ask } = await rig()
    await server.stop(deadlineIn(ctx.clock, 1000))
    await server.stop(deadlineIn(ctx.clock, 1000))
    await expect(ask()).rejects.toThrow('ECONNREFUSED')
    const unstarted = await healthCheck.create(
      { endpoint: 'localhost:0', path: '/', response_body: undefined, response_headers: {} },
      hostContext('health_check'),
    )
    await unstarted.stop?.(deadlineIn(ctx.clock, 1000))
  })

  it('refuses an endpoint without a port before anything starts', () => {
    const config = { endpoint: 'localhost', path: '/', response_body: undefined, response_headers: {} }
    expect(healthCheck.check?.(config)).toEqual([
      { path: ['endpoint'], message: expect.stringContaining('the port is missing') as string },
    ])
  })
})
