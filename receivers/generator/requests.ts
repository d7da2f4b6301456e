import type { PlainValue } from '../../src/otlp/cursors.ts'
import type { Person } from './people.ts'
import { type Attributes, SERVICES, type ServiceName } from './shop.ts'

/** What happens in the shop, as trees of calls. Attributes follow OpenTelemetry's semantic conventions. */

export const KIND = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const

/** What one visit to the shop is about. */
export interface Visit {
  readonly person: Person
  /** Whether what is known of the person gets into telemetry that it has no business in. */
  readonly leaks: boolean
  readonly product: string
  readonly order: string
  readonly amount: number
  readonly agent: string
}

export interface Failure {
  readonly type: string
  readonly message: string
}

/** One span of the tree. */
export interface Step {
  readonly service: ServiceName
  readonly name: string
  readonly kind: number
  /** Median of the time spent here and not in calls, in milliseconds. */
  readonly ms: number
  attributes(visit: Visit): Attributes
  /** Attributes that tell how it ended. */
  ended?(failed: boolean): Attributes
  readonly calls: readonly Step[]
  /** What can go wrong in this very step. */
  readonly failure?: Failure
  /** The calls go through a queue: they begin a trace of their own that links here. */
  readonly queued?: boolean
}

interface HttpOptions {
  readonly method: string
  readonly route: string
  readonly path?: (visit: Visit) => string
  readonly ms: number
  readonly calls: readonly Step[]
  readonly failure?: Failure
}

function httpServer(service: ServiceName, options: HttpOptions, more?: (visit: Visit) => Attributes): Step {
  const { method, route, path = () => route, ms, calls, failure } = options
  return {
    service,
    name: `${method} ${route}`,
    kind: KIND.SERVER,
    ms,
    calls,
    attributes: (visit) => [
      ['http.request.method', method],
      ['http.route', route],
      ['url.path', path(visit)],
      ['url.scheme', 'http'],
      ['server.address', `${service}.shop.example`],
      ['server.port', BigInt(SERVICES[service].port)],
      ['network.protocol.version', '1.1'],
      ...(more?.(visit) ?? []),
    ],
    ended: (failed) => httpStatus(failed),
    ...(failure && { failure }),
  }
}

/** A call over HTTP: the caller's span around the callee's. */
function http(from: ServiceName, to: ServiceName, options: HttpOptions): Step {
  const { method, route, path = () => route } = options
  return {
    service: from,
    name: method,
    kind: KIND.CLIENT,
    ms: 0.8,
    calls: [httpServer(to, options)],
    attributes: (visit) => [
      ['http.request.method', method],
      ['url.full', `http://${to}.shop.example:${SERVICES[to].port}${path(visit)}`],
      ['server.address', `${to}.shop.example`],
      ['server.port', BigInt(SERVICES[to].port)],
    ],
    ended: (failed) => httpStatus(failed),
  }
}

function httpStatus(failed: boolean): Attributes {
  const status: [string, PlainValue] = ['http.response.status_code', failed ? 500n : 200n]
  return failed ? [status, ['error.type', '500']] : [status]
}

interface RpcOptions {
  readonly method: string
  readonly ms: number
  readonly calls?: readonly Step[]
  readonly failure?: Failure
  readonly attributes?: (visit: Visit) => Attributes
}

/** A call over gRPC: the caller's span around the callee's. */
function rpc(from: ServiceName, to: ServiceName, { method, ms, calls = [], failure, attributes }: RpcOptions): Step {
  const service = `shop.${to.charAt(0).toUpperCase()}${to.slice(1)}Service`
  const common: Attributes = [
    ['rpc.system', 'grpc'],
    ['rpc.service', service],
    ['rpc.method', method],
    ['server.address', `${to}.shop.example`],
    ['server.port', BigInt(SERVICES[to].port)],
  ]
  const ended = (failed: boolean): Attributes => [['rpc.grpc.status_code', failed ? 13n : 0n]]
  const name = `${service}/${method}`
  const server: Step = {
    service: to,
    name,
    kind: KIND.SERVER,
    ms,
    calls,
    ended,
    attributes: (visit) => (attributes ? [...common, ...attributes(visit)] : common),
    ...(failure && { failure }),
  }
  return { service: from, name, kind: KIND.CLIENT, ms: 0.6, calls: [server], ended, attributes: () => common }
}

function query(service: ServiceName, operation: string, table: string, text: (visit: Visit) => string): Step {
  return {
    service,
    name: `${operation} ${table}`,
    kind: KIND.CLIENT,
    ms: 2.5,
    calls: [],
    attributes: (visit) => [
      ['db.system.name', 'postgresql'],
      ['db.namespace', 'shop'],
      ['db.collection.name', table],
      ['db.operation.name', operation],
      ['db.query.text', text(visit)],
      ['server.address', 'postgres.shop.example'],
      ['server.port', 5432n],
    ],
    failure: { type: 'ConnectionTimeout', message: 'timed out waiting for a connection from the pool after 5000 ms' },
  }
}

function cache(service: ServiceName, operation: string): Step {
  return {
    service,
    name: operation,
    kind: KIND.CLIENT,
    ms: 0.4,
    calls: [],
    attributes: ({ person }) => [
      ['db.system.name', 'redis'],
      ['db.operation.name', operation],
      ['db.query.text', `${operation} cart:${person.id}`],
      ['server.address', 'redis.shop.example'],
      ['server.port', 6379n],
    ],
  }
}

const selectProduct = query('catalog', 'SELECT', 'products', ({ leaks, person }) =>
  leaks
    ? `SELECT id, name, price FROM products WHERE id = $1 /* for ${person.email} */`
    : 'SELECT id, name, price FROM products WHERE id = $1',
)

const getProduct = http('frontend', 'catalog', {
  method: 'GET',
  route: '/products/{id}',
  path: ({ product }) => `/products/${product}`,
  ms: 1.5,
  calls: [selectProduct],
})

const getCart = (from: ServiceName): Step =>
  http(from, 'cart', {
    method: 'GET',
    route: '/cart/{user}',
    path: ({ person }) => `/cart/${person.id}`,
    ms: 1,
    calls: [cache('cart', 'HGETALL')],
  })

const charge = rpc('checkout', 'payment', {
  method: 'Charge',
  ms: 45,
  attributes: ({ leaks, person, amount }) => [
    ['shop.payment.amount', amount],
    ['shop.payment.currency', 'EUR'],
    ...(leaks ? ([['payment.card.number', person.card]] as const) : []),
  ],
  failure: { type: 'PaymentDeclinedException', message: 'the issuer declined the charge: insufficient funds' },
})

const confirm: Step = {
  service: 'checkout',
  name: 'send orders',
  kind: KIND.PRODUCER,
  ms: 1.2,
  queued: true,
  attributes: ({ order }) => [
    ['messaging.system', 'rabbitmq'],
    ['messaging.operation.name', 'send'],
    ['messaging.destination.name', 'orders'],
    ['messaging.message.id', order],
  ],
  calls: [
    {
      service: 'email',
      name: 'process orders',
      kind: KIND.CONSUMER,
      ms: 12,
      calls: [],
      attributes: ({ order, leaks, person }) => [
        ['messaging.system', 'rabbitmq'],
        ['messaging.operation.name', 'process'],
        ['messaging.destination.name', 'orders'],
        ['messaging.message.id', order],
        ...(leaks ? ([['email.to', `${person.name} <${person.email}>`]] as const) : []),
      ],
      failure: { type: 'Net::SMTPServerBusy', message: '451 4.3.0 mail server temporarily rejected message' },
    },
  ],
}

const placeOrder = rpc('frontend', 'checkout', {
  method: 'PlaceOrder',
  ms: 4,
  attributes: ({ order, amount }) => [
    ['shop.order.id', order],
    ['shop.order.amount', amount],
  ],
  calls: [
    getCart('checkout'),
    charge,
    rpc('checkout', 'shipping', { method: 'Quote', ms: 6 }),
    query('checkout', 'INSERT', 'orders', () => 'INSERT INTO orders (id, user_id, amount) VALUES ($1, $2, $3)'),
    confirm,
  ],
})

const recommend = rpc('frontend', 'recommendation', {
  method: 'List',
  ms: 8,
  failure: { type: 'KeyError', message: "'similar_products'" },
})

/** What a visitor's browser asks of the frontend. */
function page(method: string, route: string, path: (visit: Visit) => string, calls: readonly Step[]): Step {
  return httpServer('frontend', { method, route, path, ms: 5, calls }, ({ person, leaks, agent }) => [
    ['client.address', person.address],
    ['user_agent.original', agent],
    ['user.id', person.id],
    ...(leaks
      ? ([
          ['user.email', person.email],
          ['user.full_name', person.name],
        ] as const)
      : []),
  ])
}

/** The trees, and how often each is called for. In each something can go wrong. */
export const PAGES: readonly { readonly weight: number; readonly root: Step }[] = [
  { weight: 4, root: page('GET', '/', () => '/', [recommend]) },
  {
    weight: 5,
    root: page('GET', '/product/{id}', ({ product }) => `/product/${product}`, [getProduct, recommend]),
  },
  { weight: 3, root: page('GET', '/cart', () => '/cart', [getCart('frontend'), getProduct]) },
  {
    weight: 2,
    root: page('POST', '/checkout', ({ leaks, person }) => (leaks ? `/checkout?phone=${person.phone}` : '/checkout'), [
      placeOrder,
    ]),
  },
]
