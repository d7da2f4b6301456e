import { field } from './field.ts'

const authenticator = field.extension('The extension that is asked at the headers of each request.', { required: true })

/** `auth` of a gRPC server. */
export const grpcAuthField = field.object('Lets an extension say who the client is.', { authenticator })

/** `auth` of an HTTP server. */
export const httpAuthField = field.object('Lets an extension say who the client is.', {
  authenticator,
  request_params: field.list(
    'Parameters of the query that the extension may take for headers of the same name.',
    field.string('Name of a parameter.', { required: true }),
    { default: [] },
  ),
})

/** `middlewares` of a server. */
export const middlewaresField = field.list(
  'Extensions that may turn a request away before its body is read, asked in this order once the client is known.',
  field.object('One of them.', { id: field.extension('The extension.', { required: true }) }, { required: true }),
  { default: [] },
)
