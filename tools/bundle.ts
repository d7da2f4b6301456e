/**
 * `npm run bundle`, and `npm ci` by `prepare`: makes the bundle of this checkout, which the launcher runs for as long as the
 * sources stay as they are. With `--where-possible` it says why not instead of failing, as where only what runs is installed.
 */
try {
  const { checkoutBundle } = await import('./bundle/checkout.ts')
  await checkoutBundle()
} catch (error) {
  if (!process.argv.includes('--where-possible')) throw error
  console.log(`no bundle, sources run as they are: ${error instanceof Error ? error.message : String(error)}`)
}
